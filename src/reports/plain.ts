/**
 * What must not reach a terminal or a line of its own: control characters, line and paragraph
 * separators, what turns the direction of writing around or takes no room, lone surrogates.
 */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** A text as one safe line of at most `longest` characters: what is unsafe is written `\uXXXX`. */
export function plain(text: string, longest = Number.POSITIVE_INFINITY): string {
  const short = text.length > longest ? `${text.slice(0, longest - 1)}…` : text
  return short.replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
