import { formatGithub } from './github.ts'
import { formatHtml } from './html.ts'
import { formatJson } from './json.ts'
import { formatJunit } from './junit.ts'
import { formatMarkdown } from './markdown.ts'
import type { FormatOptions } from './options.ts'
import { formatSarif } from './sarif.ts'
import { formatText } from './text.ts'
import type { Form, Report } from './types.ts'

const FORMATS = {
  text: formatText,
  json: formatJson,
  sarif: formatSarif,
  junit: formatJunit,
  github: formatGithub,
  markdown: formatMarkdown,
  html: formatHtml,
} as const satisfies Readonly<Record<Form, (report: Report, options: FormatOptions) => string>>

/**
 * A report in one form, with a line break at its end. Pure: the same report gives the same text,
 * whatever stands in it, and a name that it holds cannot break out of the form.
 *
 * @throws TypeError for a form that there is not
 * @example
 *   formatReport(report, 'text', { colour: process.stdout.isTTY, width: process.stdout.columns })
 */
export function formatReport(report: Report, form: Form, options: FormatOptions = {}): string {
  if (!Object.hasOwn(FORMATS, form)) throw new TypeError(`there is no form ${form}`)
  return FORMATS[form](report, options)
}
