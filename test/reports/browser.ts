import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** In ms: a busy machine is many times slower than an idle one. */
const LONG = 120_000
const HOW = 'run "apt-get install chromium", or set PLAYWRIGHT_CHROMIUM to its path'

function chromiumPath(): string | undefined {
  const paths = [process.env['PLAYWRIGHT_CHROMIUM'], '/usr/bin/chromium']
  return paths.find((path) => path && existsSync(path))
}

/** For tap's `skip`: why a page can't be tried here. Where CI is set it is tried, and fails. */
export function skipWithoutChromium(): string | false {
  const missing = chromiumPath() === undefined
  return missing && !process.env['CI'] ? `Chromium is missing: ${HOW}` : false
}

/** A real Chromium, closed at the end of the test. */
export async function startChromium(t: Test): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined) throw new Error(`Chromium is missing: ${HOW}`)
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath, args, timeout: LONG })
  t.teardown(() => browser.close())
  return browser
}

/** A page of its own that shows this text as a file, and what went wrong while it did. */
export interface OpenPage {
  readonly page: Page
  /** errors of scripts, violations of the security policy, requests to anywhere */
  readonly faults: string[]
}

export async function openHtml(
  t: Test,
  browser: Browser,
  html: string,
  options: BrowserContextOptions & { readonly hash?: string } = {},
): Promise<OpenPage> {
  const { hash = '', ...rest } = options
  const file = join(t.testdir(), 'report.html')
  writeFileSync(file, html)
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...rest })
  t.teardown(() => context.close())
  context.setDefaultTimeout(LONG)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`))
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== pathToFileURL(file).href) faults.push(request.url())
  })
  await page.goto(`${pathToFileURL(file).href}${hash}`)
  return { page, faults }
}
