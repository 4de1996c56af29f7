/**
 * What must not reach a terminal or a line of its own: control characters, line and paragraph
 * separators, what turns the direction of writing around or takes no room, halves of characters,
 * and `##[`, `##vso[`: what build servers take for a command wherever it stands.
 */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|#(?=#\w*\[)/g

/** A text as one safe line of at most `longest` characters: what is unsafe is written `\uXXXX`. */
export function plain(text: string, longest = Number.POSITIVE_INFINITY): string {
  const safe = cropped(text, longest).replace(UNSAFE, escapeUnit)
  // GitHub takes it for a command at the beginning of a line
  return /^\s*::/.test(safe) ? safe.replace(':', '\\u003a') : safe
}

/** At most `longest` characters, the last one an ellipsis where some are missing. */
export function cropped(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1).toWellFormed()}…` : text
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
