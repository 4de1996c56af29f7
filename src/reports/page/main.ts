import { addressOf } from './details.ts'
import { byId, element } from './elements.ts'
import { decode, type Entry, LEVELS, type PageData } from './entries.ts'
import { rowsOf } from './rows.ts'
import { type SortKey, select } from './selection.ts'

const PAGE = 50
/** More would be a book. */
const MOST_ON_PAPER = 1000

const data = JSON.parse(byId('data').textContent ?? '') as PageData
const entries = decode(data)
const body = byId<HTMLTableSectionElement>('rows')
const search = byId<HTMLInputElement>('search')
const groupChoice = byId<HTMLSelectElement>('group')
const reasonChoice = byId<HTMLSelectElement>('reason')
const levelBoxes = byId('levels')
const status = byId('status')
const pageNumber = byId('page')
const previous = byId<HTMLButtonElement>('previous')
const next = byId<HTMLButtonElement>('next')
const headers = [...document.querySelectorAll<HTMLElement>('th[data-sort]')]

const open = new Set<number>()
let sort: SortKey = 'level'
let descending = false
let page = 0
let found: Entry[] = []

function chosenLevels(): Set<number> {
  const boxes = [...levelBoxes.querySelectorAll<HTMLInputElement>('input')]
  return new Set(boxes.filter(({ checked }) => checked).map(({ value }) => Number(value)))
}

function refresh(): void {
  found = select(entries, {
    levels: chosenLevels(),
    group: groupChoice.value,
    reason: reasonChoice.value,
    words: search.value.toLowerCase().split(/\s+/).filter(Boolean),
    sort,
    descending,
  })
  page = 0
  show()
}

function show(): void {
  const pages = Math.max(1, Math.ceil(found.length / PAGE))
  page = Math.min(Math.max(0, page), pages - 1)
  const from = page * PAGE
  const shown = found.slice(from, from + PAGE)
  body.replaceChildren(
    ...shown.flatMap((entry) => rowsOf(entry, data.reasons, open.has(entry.index))),
  )
  const numbers = (value: number): string => value.toLocaleString('en')
  status.textContent =
    found.length === 0
      ? 'Nothing fits what you are looking for.'
      : `${numbers(from + 1)} to ${numbers(from + shown.length)} of ${numbers(found.length)}${found.length === entries.length ? '' : `, out of ${numbers(entries.length)}`}`
  pageNumber.textContent = `Page ${numbers(page + 1)} of ${numbers(pages)}`
  setDisabled(previous, page === 0)
  setDisabled(next, page >= pages - 1)
  for (const header of headers) {
    const current = header.dataset['sort'] === sort
    if (current) header.setAttribute('aria-sort', descending ? 'descending' : 'ascending')
    else header.removeAttribute('aria-sort')
  }
}

/** A button that stays where the keyboard is. */
function setDisabled(button: HTMLButtonElement, disabled: boolean): void {
  button.setAttribute('aria-disabled', String(disabled))
}

function turn(button: HTMLButtonElement, by: number): void {
  if (button.getAttribute('aria-disabled') === 'true') return
  page += by
  show()
  byId('findings').scrollIntoView()
}

function toggle(index: number): void {
  if (!open.delete(index)) open.add(index)
  show()
  byId(`toggle-${index}`)?.focus()
}

/** Opens the finding that the address names. */
function follow(): void {
  const hash = location.hash
  if (!hash.startsWith('#finding-')) return
  const entry = entries.find(
    ({ fingerprint }) => fingerprint !== '' && addressOf(fingerprint) === hash,
  )
  if (!entry) {
    status.textContent = 'The finding that the link leads to is not in this report.'
    return
  }
  if (!found.includes(entry)) reset()
  page = Math.floor(found.indexOf(entry) / PAGE)
  open.add(entry.index)
  show()
  const button = byId(`toggle-${entry.index}`)
  button.closest('tr')?.scrollIntoView({ block: 'center' })
  button.focus({ preventScroll: true })
}

function reset(): void {
  byId<HTMLFormElement>('controls').reset()
  refresh()
}

function fillChoices(): void {
  const fill = (choice: HTMLSelectElement, values: readonly string[]): void => {
    const counts = new Map<string, number>()
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
    counts.delete('')
    for (const [value, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const text = value.length > 60 ? `…${value.slice(-59)}` : value
      choice.append(element('option', { value }, `${text} (${count.toLocaleString('en')})`))
    }
  }
  fill(
    groupChoice,
    entries.map(({ group }) => group),
  )
  fill(
    reasonChoice,
    entries.map(({ reason }) => reason),
  )
  LEVELS.forEach(([, word], level) => {
    const count = entries.filter((entry) => entry.level === level).length
    if (count === 0) return
    const box = element('input', { type: 'checkbox', value: String(level), checked: 'checked' })
    levelBoxes.append(element('label', {}, box, ` ${word} (${count.toLocaleString('en')})`))
  })
}

/** Paper has no pages of ours and nothing to open. */
function print(): void {
  const shown = found.slice(0, MOST_ON_PAPER)
  body.replaceChildren(...shown.flatMap((entry) => rowsOf(entry, data.reasons, true)))
  const rest = found.length - shown.length
  status.textContent =
    rest > 0 ? `The first ${shown.length} of ${found.length}` : `All ${found.length}`
}

fillChoices()
for (const part of document.querySelectorAll<HTMLElement>('.scripted')) part.hidden = false
byId('controls').addEventListener('input', refresh)
byId('controls').addEventListener('submit', (event) => event.preventDefault())
byId('clear').addEventListener('click', reset)
previous.addEventListener('click', () => turn(previous, -1))
next.addEventListener('click', () => turn(next, 1))
for (const header of headers) {
  header.querySelector('button')?.addEventListener('click', () => {
    const wanted = header.dataset['sort'] as SortKey
    descending = wanted === sort && !descending
    sort = wanted
    refresh()
  })
}
body.addEventListener('click', (event) => {
  const target = event.target as Element
  const row = target.closest<HTMLElement>('tr.entry')
  const isText = target.closest('a, code, button:not(.toggle)') !== null
  if (row && !isText && String(getSelection()) === '') toggle(Number(row.dataset['index']))
})
addEventListener('beforeprint', print)
addEventListener('afterprint', show)
addEventListener('hashchange', follow)
refresh()
follow()
