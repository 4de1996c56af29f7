import type { Report, ReportFinding } from '../../src/reports/index.ts'

/** 12 November 2026 */
export const STARTED = Date.UTC(2026, 10, 12, 8, 30)

/** One finding, of which a test changes what it is about. */
export function finding(change: Partial<ReportFinding> = {}): ReportFinding {
  return {
    level: 'deny',
    reason: 'LatestTag',
    policy: 'ImagePolicy shop/web',
    subject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    container: 'app',
    pointer: '/spec/template/spec/containers/0/image',
    image: 'ghcr.io/acme/web:latest',
    message: 'ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago).',
    use: 'ghcr.io/acme/web:v1.4.2',
    location: { file: 'deploy/web.yaml', line: 12, column: 16, endLine: 12, endColumn: 39 },
    funnel: 'ghcr.io/acme/web ImagePolicy shop/web',
    fingerprint: '4f1d2c3b4a596877',
    ...change,
  }
}

/** A report with these findings, and totals that fit. */
export function report(change: Partial<Report> = {}): Report {
  const { findings = [], changes = [] } = change
  const count = (level: string) => findings.filter((each) => each.level === level).length
  return {
    door: 'review',
    version: '0.1.0',
    startedAt: STARTED,
    finishedAt: STARTED + 412,
    interrupted: false,
    totals: {
      files: 3,
      objects: 9,
      images: 12,
      denied: count('deny'),
      warned: count('warn'),
      audited: count('audit'),
      changed: changes.length,
      accepted: 0,
    },
    findings,
    changes,
    problems: [],
    funnels: {},
    ...change,
  }
}

/** One of everything that a report can hold. */
export function fullReport(change: Partial<Report> = {}): Report {
  return report({
    findings: [
      finding(),
      finding({
        level: 'warn',
        reason: 'Downgrade',
        container: 'proxy',
        pointer: '/spec/template/spec/initContainers/1/image',
        image: 'ghcr.io/acme/proxy:v1.3.0',
        message: 'v1.4.3 runs and is kept, since allowDowngrade is not set.',
        use: undefined,
        location: { file: 'deploy/web.yaml', line: 21, column: 18, endLine: 21, endColumn: 43 },
        fingerprint: 'aa00bb11cc22dd33',
      }),
      finding({
        level: 'audit',
        reason: 'Unmatched',
        policy: undefined,
        subject: { apiVersion: 'v1', kind: 'Pod', namespace: undefined, name: 'tool-*' },
        container: undefined,
        pointer: '/spec/containers/0/image',
        image: 'ghcr.io/other/tool:v1.0.0',
        message: 'No policy covers ghcr.io/other/tool, and the defaults deny such images.',
        use: undefined,
        location: undefined,
        funnel: undefined,
        fingerprint: '0011223344556677',
      }),
    ],
    changes: [
      {
        subject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' },
        container: 'api',
        pointer: '/spec/template/spec/containers/0/image',
        from: 'ghcr.io/acme/api:v1.3.0',
        to: `ghcr.io/acme/api:v1.4.2@sha256:${'2'.repeat(64)}`,
        policy: 'ImagePolicy shop/api',
        location: { file: 'deploy/api.yaml', line: 9, column: 16, endLine: 9, endColumn: 39 },
      },
    ],
    problems: [
      {
        code: 'ERR_INVALID_POLICY',
        place: 'deploy/broken.yaml',
        line: 3,
        column: 7,
        message: 'a tab may not stand here. Indent with spaces',
      },
    ],
    funnels: {
      'ghcr.io/acme/web ImagePolicy shop/web': {
        repository: 'ghcr.io/acme/web',
        policy: 'ImagePolicy shop/web',
        steps: [
          { label: 'tags in the index', count: 120 },
          { label: 'match ^v[0-9.]+$', count: 84 },
          { label: 'permitted by semver >=1.2.3 <2.0.0', count: 31 },
        ],
        chosen: { tag: 'v1.4.2', digest: `sha256:${'2'.repeat(64)}` },
        losers: [
          { tag: 'v2.1.0', reason: 'OutOfRange' },
          { tag: 'v1.5.0-rc.1', reason: 'Prerelease' },
        ],
        scannedAt: STARTED - 180_000,
      },
    },
    ...change,
  })
}

/** What other policies would change: `audit --what-if`. */
export function differenceReport(change: Partial<Report> = {}): Report {
  return fullReport({
    door: 'audit',
    notes: ['20 more findings of level warn are not shown'],
    difference: {
      ...{ newlyDenied: 1, newlyWarned: 1, noLongerDenied: 1, noLongerWarned: 0, moved: 1 },
      gone: [finding({ reason: 'TagElsewhere', policy: undefined, location: undefined })],
    },
    ...change,
  })
}
