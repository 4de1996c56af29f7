import type { Value } from './value.ts'
import { isGroup, remark } from './values_yaml.ts'

/** docs/chart.md: a table of every value. */
export function valuesPage(values: Value, header: string): string {
  return [
    '# Values of the chart',
    '',
    `<!-- ${header} -->`,
    '',
    'For `helm install --values` and `--set`; [installing](install.md) has examples. A value that is unknown or does not fit is refused before anything is changed.',
    '',
    '| value | default | what it is for |',
    '|---|---|---|',
    ...rows(values, ''),
    '',
  ].join('\n')
}

function rows({ properties = {} }: Value, above: string): string[] {
  return Object.entries(properties).flatMap(([name, value]) => {
    const path = `${above}${name}`
    if (value.hidden) return []
    return isGroup(value)
      ? [`| \`${path}\` | | ${cell(remark(value))} |`, ...rows(value, `${path}.`)]
      : [`| \`${path}\` | ${fallback(value.default)} | ${cell(remark(value))} |`]
  })
}

function fallback(value: unknown): string {
  const empty = value === '' || value === null || JSON.stringify(value).length === 2
  if (empty && typeof value !== 'number') return 'none'
  return `\`${cell(typeof value === 'string' ? value : JSON.stringify(value))}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
