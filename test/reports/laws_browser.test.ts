import fc from 'fast-check'
import t from 'tap'
import { formatReport } from '../../src/reports/index.ts'
import { anyReport } from './arbitrary.ts'
import { openHtml, skipWithoutChromium, startChromium } from './browser.ts'

const RUNS = 40

t.test('real parsers take any report', { skip: skipWithoutChromium() }, async (t) => {
  const browser = await startChromium(t)
  const reports = fc.sample(anyReport, RUNS)

  await t.test('junit is XML with as many cases as it counts', async (t) => {
    const { page } = await openHtml(t, browser, '<!doctype html>')
    for (const report of reports) {
      const text = formatReport(report, 'junit')
      const found = await page.evaluate<{
        fault: string
        cases: number
        told: number
        names: string[]
      }>(
        `((text) => {
          const root = new DOMParser().parseFromString(text, 'application/xml').documentElement
          const all = [...root.getElementsByTagName('*')]
          return {
            fault: root.getElementsByTagName('parsererror')[0]?.textContent ?? '',
            cases: root.getElementsByTagName('testcase').length,
            told: Number(root.getAttribute('tests')),
            names: [...new Set(all.map(({ tagName }) => tagName))].sort(),
          }
        })(${JSON.stringify(text)})`,
      )
      t.equal(found.fault, '', text.slice(0, 500))
      t.equal(found.cases, found.told)
      const known = ['error', 'failure', 'skipped', 'system-out', 'testcase', 'testsuite']
      t.strictSame(
        found.names.filter((name) => !known.includes(name)),
        [],
      )
    }
  })

  await t.test('the page runs, lists all there is, and nothing else happens', async (t) => {
    for (const report of reports.slice(0, 15)) {
      const { findings, changes, difference, accepted } = report
      const rows =
        findings.length + changes.length + (difference?.gone ?? []).length + (accepted ?? []).length
      const { page, faults } = await openHtml(t, browser, formatReport(report, 'html'))
      await page.evaluate('dispatchEvent(new Event("beforeprint"))')
      t.equal(await page.locator('tr.entry').count(), rows)
      t.equal(await page.locator('img, iframe, [onerror], [onload], [onfocus]').count(), 0)
      t.equal(await page.locator('script').count(), 2)
      t.strictSame(faults, [])
    }
  })
})
