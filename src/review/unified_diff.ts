/** Lines shown around a change. */
const AROUND = 3

/**
 * The difference of two texts that have the same lines but for what stands in them, as `diff -u`
 * writes it; empty when they are the same.
 *
 * @param name of the file, with `/`
 */
export function unifiedDiff(name: string, before: string, after: string): string {
  const [old, now] = [before, after].map((text) => text.split('\n'))
  if (!old || !now || old.length !== now.length) throw new TypeError('lines were added or removed')
  const changed = old.flatMap((line, index) => (line === now[index] ? [] : index))
  if (changed.length === 0) return ''
  const hunks: [first: number, end: number][] = []
  for (const index of changed) {
    const last = hunks.at(-1)
    const end = Math.min(index + AROUND + 1, old.length)
    if (last && index - AROUND <= last[1]) last[1] = end
    else hunks.push([Math.max(0, index - AROUND), end])
  }
  const shown = hunks.map(([first, end]) => hunk(old, now, first, end))
  return `--- a/${name}\n+++ b/${name}\n${shown.join('')}`
}

function hunk(old: readonly string[], now: readonly string[], first: number, end: number): string {
  // what follows the last line break is no line, unless something stands there
  const empty = end === old.length && old[end - 1] === '' && now[end - 1] === ''
  const until = empty ? end - 1 : end
  const unended = !empty && end === old.length
  const count = until - first
  const lines = [`@@ -${first + 1},${count} +${first + 1},${count} @@`]
  const put = (sign: string, line: string, index: number) => {
    lines.push(`${sign}${line}`)
    if (unended && index === until - 1) lines.push('\\ No newline at end of file')
  }
  for (let index = first; index < until; ) {
    let stop = index
    while (stop < until && old[stop] !== now[stop]) stop += 1
    if (stop === index) {
      put(' ', old[index] ?? '', index)
      index += 1
      continue
    }
    for (let at = index; at < stop; at += 1) put('-', old[at] ?? '', at)
    for (let at = index; at < stop; at += 1) put('+', now[at] ?? '', at)
    index = stop
  }
  return `${lines.join('\n')}\n`
}
