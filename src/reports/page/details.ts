import { bar, element, prose } from './elements.ts'
import { type Entry, type Funnel, type PageData, placeOf } from './entries.ts'

/** All that there is to say of an entry. */
export function details(entry: Entry, reasons: PageData['reasons']): HTMLElement {
  const { message, use, reason, funnel, fingerprint } = entry
  const box = element('div', { class: 'details' })
  if (message !== '') box.append(element('p', { class: 'message' }, message))
  if (use !== '') {
    box.append(element('p', { class: 'screen' }, 'Write ', element('code', { class: 'use' }, use)))
  }
  const help = Object.hasOwn(reasons, reason) ? reasons[reason] : undefined
  if (help) {
    const [, meaning, remedy] = help
    box.append(
      element('h3', {}, 'What it means'),
      element('p', {}, ...prose(meaning)),
      element('h3', {}, 'What to do'),
      element('p', {}, ...prose(remedy)),
    )
  }
  if (funnel) box.append(...funnelParts(funnel))
  box.append(element('h3', {}, 'Where'), facts(entry))
  if (fingerprint !== '') {
    const link = element('a', { href: addressOf(fingerprint) }, 'Link to this finding')
    box.append(element('p', { class: 'screen' }, link))
  }
  return box
}

/** The part of the address that leads to a finding. */
export function addressOf(fingerprint: string): string {
  return `#finding-${encodeURIComponent(fingerprint)}`
}

function facts(entry: Entry): HTMLElement {
  const list = element('dl', { class: 'facts' })
  const rows: [string, string][] = [
    ['File', placeOf(entry)],
    ['Object', entry.subject],
    ['Container', entry.container],
    ['Field', entry.pointer],
    ['Policy', entry.policy],
    ['Fingerprint', entry.fingerprint],
  ]
  for (const [name, value] of rows) {
    if (value !== '') {
      list.append(element('div', {}, element('dt', {}, name), element('dd', {}, value)))
    }
  }
  return list
}

function funnelParts({
  repository,
  policy,
  steps,
  chosen,
  losers,
  scanned,
}: Funnel): HTMLElement[] {
  const all = Math.max(1, ...steps.map(([, count]) => count))
  const list = element('ol', { class: 'funnel' })
  for (const [label, count] of steps) {
    const line = element('span', {}, element('b', {}, count.toLocaleString('en')), ` ${label}`)
    list.append(element('li', {}, line, bar(count / all)))
  }
  const tag = chosen ? element('code', {}, chosen[0]) : 'no tag'
  const digest = chosen?.[1] ? [' with ', element('code', {}, chosen[1])] : []
  const parts: HTMLElement[] = [
    element('h3', {}, 'How the newest permitted tag was found'),
    element('p', {}, element('code', {}, repository), ` by ${policy}, as of ${scanned}:`),
    list,
    element('p', {}, 'Chosen: ', tag, ...digest),
  ]
  if (losers.length > 0) {
    const body = element('tbody')
    for (const [name, reason] of losers) {
      body.append(
        element('tr', {}, element('td', {}, element('code', {}, name)), element('td', {}, reason)),
      )
    }
    const head = element(
      'tr',
      {},
      element('th', { scope: 'col' }, 'Tag'),
      element('th', { scope: 'col' }, 'Why not'),
    )
    const caption = element('caption', {}, 'The best tags that were not chosen')
    parts.push(element('table', { class: 'losers' }, caption, element('thead', {}, head), body))
  }
  return parts
}
