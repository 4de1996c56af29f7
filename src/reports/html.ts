import { headlineOf } from './headline.ts'
import { barsOf, chart } from './html_chart.ts'
import { momentText, pageData } from './html_data.ts'
import { isByFile, type Row, rowsOf } from './html_rows.ts'
import { html, scriptJson } from './html_text.ts'
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from './page_assets.ts'
import { REASON_HELP } from './reason_help.ts'
import type { Report } from './types.ts'
import { countOf, problemLine, summaryOf } from './words.ts'

const MAX_PROBLEMS = 200
/** What is seen where no script may run. */
const MAX_STATIC_ROWS = 100
const LEVEL_WORDS: Readonly<Record<Row['level'], string>> = {
  deny: 'Denied',
  warn: 'Warning',
  audit: 'Note',
  move: 'Would change',
  gone: 'Would be no more',
  accepted: 'Accepted',
}

/** One page that stands alone: it asks for nothing, and runs nothing but its own script. */
export function formatHtml(report: Report): string {
  const rows = rowsOf(report)
  const { words, level } = headlineOf(report)
  const title = `Tagwarden ${report.door}: ${words}`
  const policy = `default-src 'none'; script-src '${SCRIPT_HASH}'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'`
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${html(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<a class="skip" href="#findings">Skip to the findings</a>',
    '<header>',
    `<h1>Tagwarden ${report.door}</h1>`,
    `<p class="verdict ${level}">${html(words)}</p>`,
    `<p class="quiet">${html(summaryOf(report))}</p>`,
    '</header>',
    '<main>',
    totals(report),
    problems(report),
    charts(report, rows),
    list(rows),
    '</main>',
    `<footer><p>Made by Tagwarden ${html(report.version)} on ${momentText(report.startedAt)}, in ${seconds(report)}.</p></footer>`,
    `<script type="application/json" id="data">${scriptJson(pageData(report, rows))}</script>`,
    `<script>${SCRIPT}</script>`,
    '</body>',
    '</html>',
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

function totals({ totals, door }: Report): string {
  const { denied, warned, audited, changed, accepted, images, objects, files } = totals
  const boxes: readonly (readonly [name: string, count: number, level: string])[] = [
    ['images denied', denied, 'deny'],
    ['images with warnings', warned, 'warn'],
    ['images with notes only', audited, 'audit'],
    ['images would change', changed, 'move'],
    ['findings accepted', accepted, ''],
    ['images looked at', images, ''],
    ['objects', objects, ''],
    ...(door === 'review' ? [['files', files, ''] as const] : []),
  ]
  const cells = boxes.map(
    ([name, count, level]) =>
      `<div class="${count > 0 ? level : ''}"><dt>${name}</dt><dd>${count.toLocaleString('en')}</dd></div>`,
  )
  return [
    '<section aria-labelledby="totals-head">',
    '<h2 id="totals-head">Totals</h2>',
    `<dl class="totals">${cells.join('')}</dl>`,
    '</section>',
  ].join('\n')
}

function problems({ problems, notes = [], interrupted }: Report): string {
  const stopped = 'It was stopped before its end: what is told here is what had been found by then.'
  const said = [...(interrupted ? [stopped] : []), ...notes.slice(0, MAX_PROBLEMS)]
  if (said.length === 0 && problems.length === 0) return ''
  const rest = problems.length - MAX_PROBLEMS
  const items = problems
    .slice(0, MAX_PROBLEMS)
    .map((problem) => `<li>${html(problemLine(problem))}</li>`)
  return [
    '<section aria-labelledby="problems-head">',
    `<h2 id="problems-head">${problems.length > 0 ? 'Not looked at' : 'To be known'}</h2>`,
    ...said.map((note) => `<p>${html(note)}</p>`),
    items.length > 0 ? `<ul class="problems">\n${items.join('\n')}\n</ul>` : '',
    rest > 0 ? `<p>and ${countOf(rest, 'more place')}</p>` : '',
    '</section>',
  ].join('\n')
}

function charts(report: Report, rows: readonly Row[]): string {
  const { findings } = report
  if (findings.length === 0) return ''
  const counted = rows.slice(0, findings.length) as (Row & { level: 'deny' | 'warn' | 'audit' })[]
  const place = isByFile(report) ? 'file' : 'namespace'
  const places = barsOf(counted.map(({ level, group }) => ({ level, name: group })))
  const reasons = barsOf(counted.map(({ level, reason }) => ({ level, name: reason })))
  return [
    '<section aria-labelledby="charts-head">',
    '<h2 id="charts-head">Where and why</h2>',
    '<div class="charts">',
    chart('places', `Findings by ${place}`, place === 'file' ? 'File' : 'Namespace', places),
    chart('reasons', 'Findings by reason', 'Reason', reasons),
    '</div>',
    '</section>',
  ].join('\n')
}

function list(rows: readonly Row[]): string {
  if (rows.length === 0) {
    return '<section id="findings"><h2>Findings</h2><p>There is nothing to say.</p></section>'
  }
  const rest = rows.length - MAX_STATIC_ROWS
  const more =
    rest > 0
      ? ` The first ${MAX_STATIC_ROWS} are shown; ${countOf(rest, 'other')} need it too.`
      : ''
  const head = (name: string, sort: string): string =>
    `<th scope="col" role="columnheader" data-sort="${sort}"><button type="button">${name}</button></th>`
  return [
    '<section id="findings" aria-labelledby="findings-head" tabindex="-1">',
    '<h2 id="findings-head">Findings</h2>',
    `<noscript><p>To search, to sort and to see details, the page needs its script.${more}</p></noscript>`,
    '<form id="controls" class="scripted" role="search" aria-labelledby="findings-head" hidden>',
    '<div><label for="search">Search</label><input type="search" id="search" autocomplete="off" spellcheck="false"></div>',
    '<div><label for="group">File or namespace</label><select id="group"><option value="">All</option></select></div>',
    '<div><label for="reason">Reason</label><select id="reason"><option value="">All</option></select></div>',
    '<div><button type="button" id="clear">Show all</button></div>',
    '<fieldset id="levels"><legend>Show</legend></fieldset>',
    '</form>',
    '<p id="status" role="status" class="quiet"></p>',
    '<table class="list" role="table" aria-labelledby="findings-head">',
    `<thead role="rowgroup"><tr role="row">${head('Verdict', 'level')}${head('Where', 'place')}${head('Image', 'image')}${head('Why', 'reason')}<th scope="col" role="columnheader" class="screen">Details</th></tr></thead>`,
    '<tbody id="rows" role="rowgroup">',
    ...rows.slice(0, MAX_STATIC_ROWS).map(staticRow),
    '</tbody>',
    '</table>',
    '<nav class="scripted" aria-label="Pages of findings" hidden><button type="button" id="previous">Previous</button><span id="page"></span><button type="button" id="next">Next</button></nav>',
    '</section>',
  ].join('\n')
}

function staticRow(row: Row): string {
  const { level, location, subject, container, image, reason, message, use } = row
  const short = Object.hasOwn(REASON_HELP, reason) ? `<b>${html(reason)}</b> ` : ''
  const place =
    location === undefined
      ? ''
      : `<code class="place">${html(`${location.file}:${location.line}:${location.column}`, 300)}</code>`
  const remedy = use === '' ? '' : `<span class="line">Use <code>${html(use, 300)}</code></span>`
  return [
    `<tr role="row"><td role="cell"><span class="level ${level}">${LEVEL_WORDS[level]}</span></td>`,
    `<td role="cell">${place}<span class="line">${html(subject)}</span></td>`,
    `<td role="cell"><code>${html(image, 300)}</code><span class="line quiet">${html(container, 300)}</span></td>`,
    `<td role="cell">${short}${html(message, 1000)}${remedy}</td><td role="cell" class="screen"></td></tr>`,
  ].join('')
}

function seconds({ startedAt, finishedAt }: Report): string {
  return `${(Math.max(0, finishedAt - startedAt) / 1000 || 0).toFixed(1)} s`
}
