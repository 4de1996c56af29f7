/** A pattern for exactly this text, in Go (RE2) syntax. */
export function literal(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}

/** Keel's glob, in which only * has a meaning, as a pattern. */
export function starPattern(glob: string): string {
  return `^${glob.split('*').map(literal).join('.*')}$`
}

/**
 * A glob of https://pkg.go.dev/path/filepath#Match as a pattern; tags have no slash.
 *
 * @returns undefined if Go calls it malformed
 */
export function pathPattern(glob: string): string | undefined {
  const part = /\*|\?|\\([\s\S])|\[(\^?)((?:\\[\s\S]|[^\]\\])+)\]|([^\\[])/gy
  let pattern = ''
  let end = 0
  for (const match of glob.matchAll(part)) {
    const [whole, escaped, negated, members, plain] = match
    end = match.index + whole.length
    if (whole === '*') pattern += '.*'
    else if (whole === '?') pattern += '.'
    else if (members === undefined) pattern += literal(escaped ?? plain ?? '')
    else
      pattern += `[${negated}${members.replace(/\\([\s\S])|\[/g, (all, one) => `\\${one ?? all}`)}]`
  }
  return end === glob.length ? `^${pattern}$` : undefined
}
