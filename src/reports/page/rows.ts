import { details } from './details.ts'
import { element } from './elements.ts'
import { type Entry, LEVELS, type PageData, placeOf } from './entries.ts'

/** How many columns the table has. */
const COLUMNS = '5'

/** The row of an entry and, where it is open, the one with its details. */
export function rowsOf(
  entry: Entry,
  reasons: PageData['reasons'],
  open: boolean,
): HTMLTableRowElement[] {
  const { index, image, subject, container, reason, use } = entry
  const [level, word] = LEVELS[entry.level] ?? LEVELS[0]
  const place = placeOf(entry)
  const where = element('td', { role: 'cell', 'data-label': 'Where' })
  if (place !== '') where.append(element('code', { class: 'place' }, place))
  where.append(element('span', { class: 'line' }, subject))
  const what = element('td', { role: 'cell', 'data-label': 'Image' }, element('code', {}, image))
  if (container !== '') what.append(element('span', { class: 'line quiet' }, container))
  const why = element('td', { role: 'cell', 'data-label': 'Why' })
  if (reason !== '') why.append(element('b', {}, reason))
  const short = Object.hasOwn(reasons, reason) ? reasons[reason]?.[0] : undefined
  if (short) why.append(element('span', { class: 'line' }, short))
  if (use !== '')
    why.append(element('span', { class: 'line' }, 'Use ', element('code', { class: 'use' }, use)))
  const toggle = element(
    'button',
    {
      type: 'button',
      class: 'toggle',
      id: `toggle-${index}`,
      'aria-expanded': String(open),
      'aria-controls': open ? `details-${index}` : '',
      'aria-label': `Details of ${image} in ${subject}`.slice(0, 200),
    },
    'Details',
  )
  const row = element(
    'tr',
    { role: 'row', class: `entry ${level}`, 'data-index': String(index) },
    element('td', { role: 'cell' }, element('span', { class: `level ${level}` }, word)),
    where,
    what,
    why,
    element('td', { role: 'cell', class: 'screen' }, toggle),
  )
  if (!open) return [row]
  const cell = element('td', { role: 'cell', colspan: COLUMNS }, details(entry, reasons))
  return [row, element('tr', { role: 'row', id: `details-${index}`, class: 'opened' }, cell)]
}
