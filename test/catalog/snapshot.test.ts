import fc from 'fast-check'
import t from 'tap'
import { type Catalog, createCatalog } from '../../src/catalog/index.ts'
import type { RepositorySnapshot } from '../../src/decisions/ports.ts'
import { type Event, events, Model, viewOf } from './model.ts'

const NAME = 'registry.test/acme/web'

function record(catalog: Catalog, event: Event, at: number): void {
  if ('tags' in event) {
    catalog.recordTags(NAME, event.tags, at)
  } else if ('digest' in event) {
    catalog.recordManifest(NAME, event.tag, { ...event, mediaType: 'm' }, at)
  } else if ('missing' in event) {
    catalog.recordMissing(NAME, event.missing, at)
  } else {
    catalog.recordFailure(NAME, { code: 'ERR_REGISTRY_TIMEOUT', message: event.failure, at })
  }
}

t.test('whatever a registry says, the index knows what a naive model knows', async (t) => {
  fc.assert(
    fc.property(events, (list) => {
      const catalog = createCatalog()
      const model = new Model()
      return list.every((event, at) => {
        record(catalog, event, at + 1)
        model.apply(event, at + 1)
        const snapshot = catalog.get(NAME)
        return snapshot ? viewOf(snapshot) === model.view() : !model.known
      })
    }),
    { numRuns: 300 },
  )
  t.pass('for every sequence')
})

t.test('an old snapshot stays as it was, whatever comes later', async (t) => {
  fc.assert(
    fc.property(events, (list) => {
      const catalog = createCatalog()
      const past: [RepositorySnapshot, string, unknown][] = []
      for (const [at, event] of list.entries()) {
        record(catalog, event, at + 1)
        const snapshot = catalog.get(NAME)
        if (snapshot) past.push([snapshot, viewOf(snapshot), JSON.stringify(snapshot.change)])
      }
      return past.every(
        ([snapshot, view, change]) =>
          viewOf(snapshot) === view && JSON.stringify(snapshot.change) === change,
      )
    }),
  )
  t.pass('for every sequence')
})

t.test('revisions are equal exactly when tags and present digests are', async (t) => {
  fc.assert(
    fc.property(events, events, (one, two) => {
      const byContent = new Map<string, string>()
      return [one, two].every((list) => {
        const catalog = createCatalog()
        return list.every((event, at) => {
          record(catalog, event, at + 1)
          const snapshot = catalog.get(NAME)
          if (!snapshot) return true
          const digests = catalog.known(NAME).map((known) => known.tag)
          const content = JSON.stringify([
            snapshot.tags,
            digests.toSorted().map((tag) => [tag, snapshot.manifest(tag)?.digest]),
          ])
          const same = byContent.get(content) ?? snapshot.revision
          const other = [...byContent].find(([, revision]) => revision === snapshot.revision)
          byContent.set(content, snapshot.revision)
          return same === snapshot.revision && (!other || other[0] === content)
        })
      })
    }),
  )
  t.pass('for every two sequences')
})

t.test('a change always leads from the list it names to the list it is on', async (t) => {
  fc.assert(
    fc.property(events, (list) => {
      const catalog = createCatalog()
      return list.every((event, at) => {
        record(catalog, event, at + 1)
        const snapshot = catalog.get(NAME)
        if (!snapshot?.change) return true
        const { from, added, removed } = snapshot.change
        const kept = from.filter((tag) => !removed.includes(tag))
        return JSON.stringify([...kept, ...added].sort()) === JSON.stringify(snapshot.tags)
      })
    }),
  )
  t.pass('for every sequence')
})

t.test('a restart gives the same facts, less the last failure and change', async (t) => {
  const path = t.testdir()
  let run = 0
  await fc.assert(
    fc.asyncProperty(events, async (list) => {
      run += 1
      const folder = `${path}/${run}`
      const first = createCatalog({ path: folder })
      const model = new Model()
      for (const [at, event] of list.entries()) {
        record(first, event, at + 1)
        model.apply(event, at + 1)
      }
      await first.close()
      model.failure = undefined
      const problems: unknown[] = []
      const second = createCatalog({ path: folder, onProblem: (one) => problems.push(one) })
      const snapshot = second.get(NAME)
      return (
        problems.length === 0 &&
        snapshot?.revision === first.get(NAME)?.revision &&
        snapshot?.change === undefined &&
        (snapshot ? viewOf(snapshot) === model.view() : !model.known)
      )
    }),
    { numRuns: 60 },
  )
  t.pass('for every sequence')
})
