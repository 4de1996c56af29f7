import t from 'tap'
import { type ClusterEvent, DEPLOYMENTS } from '../../src/cluster/index.ts'
import { createAnnouncements } from '../../src/promotion/announcements.ts'
import type { PromoterOptions } from '../../src/promotion/types.ts'
import { policy } from '../fakes/facts.ts'

const PLACE = { resource: DEPLOYMENTS, namespace: 'shop', name: 'web' } as never

t.test('events on a ClusterImagePolicy name no workload: others read them', (t) => {
  const rows = [
    [policy(), /^Promotion stopped at Deployment shop\/web: it crashes\./],
    [
      policy({ kind: 'ClusterImagePolicy', namespace: undefined }),
      /^Promotion stopped at a Deployment of namespace shop, whose events say why\. The other/,
    ],
  ] as const
  for (const [by, message] of rows) {
    const events: ClusterEvent[] = []
    const subjectOf: PromoterOptions['subjectOf'] = ({ kind, namespace, name }) => {
      return { apiVersion: 'tagwarden.io/v1alpha1', kind, namespace, name }
    }
    const { stopped } = createAnnouncements({
      events: { record: (event) => void events.push(event), close: async () => {} },
      subjectOf,
    })
    stopped(PLACE, 'u1', by, 'it crashes')
    t.match(events, [
      { about: { kind: 'Deployment' }, message: /it crashes/ },
      { about: { kind: by.kind }, message },
    ])
  }
  t.end()
})
