import { compareTexts } from '../pieces/index.ts'
import { html } from './html_text.ts'
import { LEVELS } from './levels.ts'
import type { Level } from './types.ts'

/** Counts of one bar. */
export interface Bar {
  readonly name: string
  readonly counts: Readonly<Record<Level, number>>
}

const MAX_BARS = 10
const MAX_TABLE_ROWS = 500
const BAR_HEIGHT = 10
const ROW_HEIGHT = 36
const LONGEST_NAME = 40
const WORDS: Readonly<Record<Level, string>> = { deny: 'denied', warn: 'warnings', audit: 'notes' }
const HEADS: Readonly<Record<Level, string>> = { deny: 'Denied', warn: 'Warnings', audit: 'Notes' }

/** Counts findings under names, the most first. */
export function barsOf(
  findings: readonly { readonly level: Level; readonly name: string }[],
): Bar[] {
  const bars = new Map<string, Record<Level, number>>()
  for (const { level, name } of findings) {
    const counts = bars.get(name) ?? { deny: 0, warn: 0, audit: 0 }
    counts[level] += 1
    bars.set(name, counts)
  }
  return [...bars]
    .map(([name, counts]) => ({ name, counts }))
    .sort((a, b) => sumOf(b) - sumOf(a) || compareTexts(a.name, b.name))
}

/** A chart of bars, told in words, and the same as a table. */
export function chart(id: string, title: string, noun: string, bars: readonly Bar[]): string {
  const shown = bars.slice(0, MAX_BARS)
  const most = Math.max(1, ...shown.map(sumOf))
  const height = shown.length * ROW_HEIGHT
  const words = shown.map((bar) => `${bar.name}: ${countsText(bar)}`).join('; ')
  const rest = bars.length - shown.length
  return [
    `<figure aria-labelledby="${id}-head">`,
    `<h3 id="${id}-head">${html(title)}</h3>`,
    `<ul class="key" aria-hidden="true">${LEVELS.map((level) => `<li class="${level}">${WORDS[level]}</li>`).join('')}</ul>`,
    `<svg role="img" aria-labelledby="${id}-title" aria-describedby="${id}-desc" height="${height}">`,
    `<title id="${id}-title">${html(title)}</title>`,
    `<desc id="${id}-desc">${html(words)}</desc>`,
    ...shown.map((bar, index) => barSvg(bar, index * ROW_HEIGHT, most)),
    '</svg>',
    rest > 0 ? `<p class="quiet">and ${rest.toLocaleString('en')} more in the table</p>` : '',
    tableOf(title, noun, bars),
    '</figure>',
  ].join('\n')
}

function barSvg(bar: Bar, top: number, most: number): string {
  const name = bar.name.length > LONGEST_NAME ? `…${bar.name.slice(1 - LONGEST_NAME)}` : bar.name
  let left = 0
  const parts = LEVELS.map((level) => {
    const width = (100 * bar.counts[level]) / most
    const at = left
    left += width
    if (width === 0) return ''
    return `<rect class="${level}" x="${at.toFixed(2)}%" y="${top + 20}" width="${width.toFixed(2)}%" height="${BAR_HEIGHT}"/>`
  })
  return [
    `<text x="0" y="${top + 14}">${html(name)}</text>`,
    `<text class="count" x="100%" y="${top + 14}" text-anchor="end">${sumOf(bar).toLocaleString('en')}</text>`,
    `<rect class="back" x="0" y="${top + 20}" width="100%" height="${BAR_HEIGHT}"/>`,
    ...parts,
  ].join('')
}

function tableOf(title: string, noun: string, bars: readonly Bar[]): string {
  const rows = bars.slice(0, MAX_TABLE_ROWS).map(({ name, counts }) => {
    const cells = LEVELS.map((level) => `<td class="number">${counts[level]}</td>`)
    return `<tr><th scope="row">${html(name, 300)}</th>${cells.join('')}</tr>`
  })
  const heads = LEVELS.map((level) => `<th scope="col" class="number">${HEADS[level]}</th>`)
  const rest = bars.length - rows.length
  return [
    '<details><summary>As a table</summary>',
    `<table><caption>${html(title)}${rest > 0 ? `, the first ${MAX_TABLE_ROWS}` : ''}</caption>`,
    `<thead><tr><th scope="col">${html(noun)}</th>${heads.join('')}</tr></thead>`,
    `<tbody>${rows.join('\n')}</tbody></table></details>`,
  ].join('\n')
}

function countsText({ counts }: Bar): string {
  return LEVELS.filter((level) => counts[level] > 0)
    .map((level) => `${counts[level]} ${WORDS[level]}`)
    .join(', ')
}

function sumOf({ counts }: Bar): number {
  return counts.deny + counts.warn + counts.audit
}
