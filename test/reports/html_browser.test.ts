import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { formatReport, type Report } from '../../src/reports/index.ts'
import { HOSTILE } from './arbitrary.ts'
import { openHtml, skipWithoutChromium, startChromium } from './browser.ts'
import { differenceReport, finding, fullReport, report } from './report.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** So many findings, of three levels, in files and namespaces. */
function many(count: number): Report {
  const reasons = ['LatestTag', 'OutOfRange', 'TagMoved', 'Unmatched'] as const
  const levels = ['deny', 'warn', 'audit'] as const
  const findings = Array.from({ length: count }, (_, index) => {
    const file = `deploy/${index % 7}.yaml`
    const [line, column] = [index + 1, 16]
    return finding({
      level: levels[index % 3] ?? 'deny',
      reason: reasons[index % 4] ?? 'LatestTag',
      subject: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'shop',
        name: `web-${index}`,
      },
      image: `ghcr.io/acme/web-${index}:latest`,
      location: { file, line, column, endLine: line, endColumn: column + 20 },
      fingerprint: `print/${index} %`,
    })
  })
  const { funnels, problems, changes } = fullReport()
  return report({ findings, funnels, problems, changes, notes: ['a note'] })
}

t.test('the page in Chromium', { skip: skipWithoutChromium() }, async (t) => {
  const browser = await startChromium(t)

  await t.test(
    'findings are shown page by page, and found by words, level and reason',
    async (t) => {
      const { page, faults } = await openHtml(t, browser, formatReport(many(160), 'html'))
      const status = page.getByRole('status')
      const rows = page.locator('tr.entry')
      t.equal(await status.textContent(), '1 to 50 of 161')
      t.equal(await rows.count(), 50)
      await page.getByRole('button', { name: 'Next' }).click()
      t.equal(await status.textContent(), '51 to 100 of 161')
      await page.getByRole('searchbox', { name: 'Search' }).fill('SHOP/web-12 latest')
      t.equal(await status.textContent(), '1 to 11 of 11, out of 161')
      await page.getByRole('checkbox', { name: /^Denied/ }).uncheck()
      t.equal(await status.textContent(), '1 to 6 of 6, out of 161')
      await page.getByRole('combobox', { name: 'Reason' }).selectOption('TagMoved')
      t.equal(await rows.count(), 1)
      await page.getByRole('searchbox').fill('nothing like it')
      t.match(await status.textContent(), /^Nothing fits/)
      t.equal(await rows.count(), 0)
      await page.getByRole('button', { name: 'Show all' }).click()
      t.equal(await status.textContent(), '1 to 50 of 161')
      await page.getByRole('combobox', { name: 'File or' }).selectOption('deploy/3.yaml')
      t.match(await status.textContent(), /of 23, out of 161$/)
      t.strictSame(faults, [])
    },
  )

  await t.test('a column sorts both ways, and says so', async (t) => {
    const { page } = await openHtml(t, browser, formatReport(many(120), 'html'))
    const header = page.getByRole('columnheader', { name: 'Where' })
    const first = () => page.locator('tr.entry .place').first().textContent()
    t.equal(await page.locator('th[aria-sort]').textContent(), 'Verdict')
    await header.getByRole('button').click()
    t.equal(await header.getAttribute('aria-sort'), 'ascending')
    t.equal(await first(), 'deploy/0.yaml:1:16')
    await header.getByRole('button').press('Enter')
    t.equal(await header.getAttribute('aria-sort'), 'descending')
    t.equal(await first(), 'deploy/api.yaml:9:16')
    t.equal(await page.locator('th[aria-sort]').count(), 1)
  })

  await t.test('the keyboard alone opens a finding with its explanation and funnel', async (t) => {
    const { page } = await openHtml(t, browser, formatReport(many(60), 'html'))
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the findings')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate('document.activeElement.id'), 'search')
    const toggle = page.getByRole('button', { name: /^Details of ghcr\.io\/acme\/web-0:latest/ })
    for (let steps = 0; steps < 30; steps += 1) {
      if ((await page.evaluate('document.activeElement.id')) === 'toggle-0') break
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    t.equal(await toggle.getAttribute('aria-expanded'), 'true')
    t.equal(await page.evaluate('document.activeElement.id'), 'toggle-0', 'the focus stays')
    const id = await toggle.getAttribute('aria-controls')
    const details = await page.locator(`[id="${id}"]`).innerText()
    t.match(details, 'newest is v1.4.2 (seen 3m ago).')
    t.match(details, 'The image has no tag, which means latest')
    t.match(details, '31 permitted by semver >=1.2.3 <2.0.0')
    t.match(details, /v2\.1\.0\s+OutOfRange/)
    t.match(details, '/spec/template/spec/containers/0/image')
    await page.keyboard.press('Space')
    t.equal(await toggle.getAttribute('aria-expanded'), 'false')
    t.equal(await page.locator('tr.opened').count(), 0)
  })

  await t.test('a link leads to its finding, on whatever page it stands', async (t) => {
    const html = formatReport(many(160), 'html')
    const hash = `#finding-${encodeURIComponent('print/159 %')}`
    const { page, faults } = await openHtml(t, browser, html, { hash })
    t.equal(await page.getByRole('status').textContent(), '51 to 100 of 161')
    t.equal(await page.locator('tr.opened').count(), 1)
    const focused = 'document.activeElement.getAttribute("aria-label")'
    t.match(await page.evaluate(focused), 'ghcr.io/acme/web-159:latest')
    const link = page.getByRole('link', { name: 'Link to this finding' })
    t.equal(await link.getAttribute('href'), hash)
    await page.evaluate('location.hash = "#finding-gone"')
    await page.getByText('is not in this report').waitFor()
    await page.getByRole('searchbox').fill('web-1')
    await page.evaluate('location.hash = "#finding-" + encodeURIComponent("print/5 %")')
    await page.locator('tr.opened', { hasText: 'Deployment shop/web-5\n' }).waitFor()
    t.equal(await page.getByRole('searchbox').inputValue(), '', 'what hid it is lifted')
    t.strictSame(faults, [])
  })

  await t.test('hostile names are shown, and do nothing', async (t) => {
    const findings = HOSTILE.flatMap((text, index) => {
      const subject = { apiVersion: text, kind: text, namespace: text, name: text }
      const location = { file: text, line: 1, column: 1, endLine: 1, endColumn: 1 }
      const words = { container: text, pointer: text, policy: text, image: text, message: text }
      const rest = { use: text, funnel: text, fingerprint: text === '' ? '' : `${text}${index}` }
      return [finding({ subject, location, ...words, ...rest })]
    })
    const funnels = Object.fromEntries(
      HOSTILE.map((text) => [
        text,
        {
          ...{ repository: text, policy: text, steps: [{ label: text, count: 3 }] },
          ...{ chosen: { tag: text, digest: text }, losers: [{ tag: text, reason: text }] },
          scannedAt: 0,
        },
      ]),
    )
    const { page, faults } = await openHtml(
      t,
      browser,
      formatReport(fullReport({ findings, funnels, notes: HOSTILE }), 'html'),
    )
    await page.evaluate('dispatchEvent(new Event("beforeprint"))')
    t.equal(await page.locator('tr.opened').count(), findings.length + 1, 'all are opened')
    t.match(await page.title(), /^Tagwarden review: /)
    const strange = 'img, iframe, object, embed, svg[onload], [onerror], [onfocus], a[href^="java"]'
    t.equal(await page.locator(strange).count(), 0)
    t.equal(await page.locator('script').count(), 2)
    t.ok(await page.getByText('<img src=x onerror').count(), 'they can be read')
    const wide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    t.ok((await page.evaluate<number>(wide)) <= 0, 'and do not widen the page')
    t.strictSame(faults, [])
  })

  await t.test('axe finds nothing, in light and dark, wide and on a phone', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of [
        { width: 1280, height: 800 },
        { width: 360, height: 740 },
      ]) {
        const { page } = await openHtml(t, browser, formatReport(many(12), 'html'), {
          ...{ colorScheme, viewport },
          bypassCSP: true,
        })
        for (const toggle of await page.locator('.toggle').all()) await toggle.click()
        for (const summary of await page.locator('summary').all()) await summary.click()
        await page.evaluate(AXE)
        const found = await page.evaluate<{ violations: { id: string; nodes: unknown[] }[] }>(
          'axe.run(document, { resultTypes: ["violations"] })',
        )
        t.strictSame(
          found.violations.map(({ id, nodes }) => [id, JSON.stringify(nodes).slice(0, 500)]),
          [],
          `${colorScheme} ${viewport.width}`,
        )
        const wide = 'document.documentElement.scrollWidth'
        t.equal(await page.evaluate(wide), viewport.width, 'nothing sticks out')
      }
    }
  })

  await t.test('on paper every finding is opened, and what is pressed is gone', async (t) => {
    const { page } = await openHtml(t, browser, formatReport(many(80), 'html'))
    await page.emulateMedia({ media: 'print' })
    await page.evaluate('dispatchEvent(new Event("beforeprint"))')
    t.equal(await page.locator('tr.opened').count(), 81)
    t.equal(await page.locator('button:visible').count(), 4, 'but the heads of the columns')
    t.notOk(await page.locator('#controls').isVisible())
    t.ok((await page.pdf()).length > 10_000)
    await page.evaluate('dispatchEvent(new Event("afterprint"))')
    t.equal(await page.locator('tr.opened').count(), 0)
  })

  await t.test('20,000 findings are searched and sorted without a pause', async (t) => {
    const { page, faults } = await openHtml(t, browser, formatReport(many(20_000), 'html'))
    t.equal(await page.getByRole('status').textContent(), '1 to 50 of 20,001')
    const took = await page.evaluate<number>(`(() => {
      const start = performance.now()
      const search = document.getElementById('search')
      for (const words of ['w', 'web-1', 'web-19 latest', 'shop', '']) {
        search.value = words
        search.dispatchEvent(new Event('input', { bubbles: true }))
      }
      for (const button of document.querySelectorAll('th button')) button.click()
      return (performance.now() - start) / 9
    })()`)
    t.ok(took < 500, `${took.toFixed(0)} ms each`)
    t.ok((await page.evaluate<number>('document.querySelectorAll("*").length')) < 5000)
    t.strictSame(faults, [])
  })

  await t.test('without scripts the findings can be read', async (t) => {
    const html = formatReport(differenceReport(), 'html')
    const { page, faults } = await openHtml(t, browser, html, { javaScriptEnabled: false })
    t.equal(await page.locator('#rows tr').count(), 5)
    t.notOk(await page.locator('#controls').isVisible())
    t.strictSame(faults, [])
  })
})
