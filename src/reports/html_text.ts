import { plain } from './plain.ts'

/** Longer than any name or message of ours. */
const LONGEST = 4000
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text as it is shown between tags or in quotes of an attribute. */
export function html(text: string, longest = LONGEST): string {
  return plain(text, longest).replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? '')
}

/** Data within a script element, which no text in it can end. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
