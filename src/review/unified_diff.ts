/** Lines shown around a change. */
const AROUND = 3
/** Texts that are this many lines apart are not brought together again. */
const FARTHEST = 200
const LINE = /[^\n]*\n|[^\n]+$/g

/** Lines that stand in place of others: from the first to the one after the last, in both texts. */
interface Block {
  readonly old: readonly [first: number, end: number]
  readonly now: readonly [first: number, end: number]
}

/**
 * The difference of two texts, as `diff -u` writes it; empty when they are the same. It is made for
 * texts that differ little, and not always the shortest.
 *
 * @param name of the file, with `/`
 */
export function unifiedDiff(name: string, before: string, after: string): string {
  const old = before.match(LINE) ?? []
  const now = after.match(LINE) ?? []
  const groups: Block[][] = []
  for (const block of blocksOf(old, now)) {
    const group = groups.at(-1)
    const last = group?.at(-1)
    if (group && last && block.old[0] - last.old[1] <= 2 * AROUND) group.push(block)
    else groups.push([block])
  }
  if (groups.length === 0) return ''
  const hunks = groups.map((blocks) => hunk(old, now, blocks))
  return `--- a/${name}\n+++ b/${name}\n${hunks.join('')}`
}

function blocksOf(old: readonly string[], now: readonly string[]): Block[] {
  const blocks: Block[] = []
  for (let at = 0, to = 0; at < old.length || to < now.length; ) {
    if (at < old.length && old[at] === now[to]) {
      at += 1
      to += 1
      continue
    }
    const [more, other] = nextCommon(old, now, at, to)
    const last = blocks.at(-1)
    const block: Block = { old: [at, at + more], now: [to, to + other] }
    if (last?.old[1] === at && last.now[1] === to) {
      blocks.splice(-1, 1, { old: [last.old[0], at + more], now: [last.now[0], to + other] })
    } else blocks.push(block)
    at += more
    to += other
  }
  return blocks
}

/** How many lines of both are passed over until they are the same again. */
function nextCommon(
  old: readonly string[],
  now: readonly string[],
  at: number,
  to: number,
): readonly [number, number] {
  const [left, right] = [old.length - at, now.length - to]
  // line for line, as most changes are
  if (left === right) return [1, 1]
  for (let sum = 1; sum <= FARTHEST; sum += 1) {
    for (let more = Math.min(sum, left); more >= Math.max(0, sum - right); more -= 1) {
      const [first, second] = [old[at + more], now[to + sum - more]]
      if (first === second && (first !== undefined || sum === left + right)) {
        return [more, sum - more]
      }
    }
  }
  return [left, right]
}

function hunk(old: readonly string[], now: readonly string[], blocks: readonly Block[]): string {
  const [first, last] = [blocks[0], blocks.at(-1)]
  if (!first || !last) return ''
  const before = Math.min(AROUND, first.old[0])
  const after = Math.min(AROUND, old.length - last.old[1])
  const lines: string[] = []
  const put = (sign: string, some: readonly string[]) => {
    for (const line of some) {
      lines.push(
        line.endsWith('\n') ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`,
      )
    }
  }
  let at = first.old[0] - before
  for (const block of blocks) {
    put(' ', old.slice(at, block.old[0]))
    put('-', old.slice(...block.old))
    put('+', now.slice(...block.now))
    at = block.old[1]
  }
  put(' ', old.slice(at, at + after))
  const span = (start: number, end: number) => {
    const count = end - start
    // what is empty stands after a line
    return `${count === 0 ? start : start + 1},${count}`
  }
  const ranges = [
    span(first.old[0] - before, last.old[1] + after),
    span(first.now[0] - before, last.now[1] + after),
  ]
  return `@@ -${ranges[0]} +${ranges[1]} @@\n${lines.join('')}`
}
