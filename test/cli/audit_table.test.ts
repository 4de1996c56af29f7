import t from 'tap'
import { createAuditChanges } from '../../src/cli/audit_changes.ts'
import { auditTable, changedLines } from '../../src/cli/audit_table.ts'
import { finding, report } from '../reports/report.ts'

t.test('a live table shows the worst first, within the terminal, whatever names say', (t) => {
  const evil = '\u001b[2J\n'
  const subject = { apiVersion: 'v1', kind: `Pod${evil}`, namespace: evil, name: `web${evil}` }
  const findings = [
    finding({ level: 'audit', fingerprint: '1' }),
    finding({ level: 'warn', fingerprint: '2', subject, image: evil, container: evil }),
    finding({ level: 'deny', fingerprint: '3' }),
  ]
  const table = auditTable(report({ findings }), { width: 60, height: 6, colour: false }).replace(
    '\u001b[H\u001b[2J',
    '',
  )
  const lines = table.split('\n')
  t.match(lines[0], /^08:30:00 {2}12 images in 9 objects in 3 files: 1 denied, 1 with warnings/)
  t.match(lines.slice(2).join('|'), /^deny .*\|warn .*\|and 1 more\|$/)
  t.ok(
    lines.slice(1).every((line) => /^[\x20-\x7e]{0,60}$/.test(line)),
    table,
  )
  const [first, second, third] = findings as [
    (typeof findings)[0],
    (typeof findings)[0],
    (typeof findings)[0],
  ]
  const changed = changedLines(
    report({ findings: [first, third] }),
    report({ findings: [third, second] }),
  )
  t.match(changed, [/^- audit /, /^\+ warn /])
  t.ok(changed.every((line) => /^[\x20-\x7e]+$/.test(line)))
  t.match(auditTable(report(), { width: 60, height: 6, colour: true }), /Nothing is wrong/)
  t.end()
})

t.test('a live table says what was not looked at, and not that nothing is wrong', (t) => {
  const problem = (place: string) => ({
    ...{ code: 'ERR_CLUSTER' as const, place, line: undefined, column: undefined },
    message: `could not list ${place}: \u001b[2J forbidden`,
  })
  const screen = { width: 60, height: 12, colour: true }
  const problems = ['pods', 'jobs.batch', 'deployments.apps', 'rollouts'].map(problem)
  const lines = auditTable(report({ findings: [], problems }), screen).split('\n')
  t.match(lines.slice(2), [
    /^Not looked at: pods: could not list pods: \?\[2J forbidden$/,
    /^Not looked at: jobs\.batch/,
    /^Not looked at: deployments\.apps: could not list deployments/,
    /^and 1 more$/,
    /^$/,
  ])
  t.ok(lines.slice(1).every((line) => line.length <= 60))
  const many = Array.from({ length: 20 }, (_, index) => finding({ fingerprint: String(index) }))
  const full = auditTable(report({ findings: many, problems }), screen)
  t.ok(full.split('\n').length <= 12)
  t.match(full, /\nand 16 more\nNot looked at: pods/)
  t.end()
})

t.test('what one look could not see is not gone, unless it stays so', (t) => {
  const one = finding({ fingerprint: '1' })
  const two = finding({ fingerprint: '2', level: 'warn' })
  const place = 'statefulsets.apps'
  const problem = {
    code: 'ERR_CLUSTER' as const,
    place,
    line: undefined,
    column: undefined,
    message: 'away',
  }
  const less = report({ findings: [one], problems: [problem] })
  const changes = createAuditChanges()
  t.match(changes(report({ findings: [one, two] })), {
    lines: [/^\+ deny/, /^\+ warn/],
    problems: [],
  })
  t.strictSame(changes(less), { lines: [], problems: [`ERR_CLUSTER ${place}: away`] })
  t.strictSame(changes(report({ findings: [one, two] })), { lines: [], problems: [] })
  t.strictSame(changes(less).lines, [])
  t.match(changes(less), { lines: [/^- warn/], problems: [] }, 'it stays so')
  t.match(changes(report({ findings: [one, two] })), { lines: [/^\+ warn/] })

  const first = createAuditChanges()(less)
  t.match(first, { lines: [/^\+ deny/], problems: [/away/] }, 'there is nothing to compare with')
  t.end()
})
