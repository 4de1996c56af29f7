/** The words of the validator are its own: ` … ` stands for any of them. */
export function says(shown: string, parts: string): boolean {
  let from = 0
  return parts.split(' … ').every((part) => {
    const at = shown.indexOf(part, from)
    from = at + part.length
    return at >= 0
  })
}
