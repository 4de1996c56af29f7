import t from 'tap'
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
