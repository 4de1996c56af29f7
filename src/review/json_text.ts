const NEXT = /\{(?=[\s"}])(?<=\}[ \t]*(?:\r\n?|\n)\{)/g

/** Whether a text is an object in JSON, as far as its beginning tells. */
export function isJson(text: string): boolean {
  return /^[\ufeff\s]*\{/.test(text)
}

/** Where the next object begins: `kubectl` reads those that stand one after the other. */
export function nextJson(text: string, from: number): number | undefined {
  NEXT.lastIndex = from
  return NEXT.exec(text)?.index
}
