import { addImage, addSignature } from './image.ts'
import { createStoredRepository, type StoredRepository } from './stored_repository.ts'

const BOTH = ['linux/amd64', 'linux/arm64'] as const
const AMD64 = ['linux/amd64'] as const

/** One bundled repository: what is built, and which tags point to the same image. */
interface Shelf {
  readonly platforms: readonly string[]
  /** tags that each get an image of their own, oldest first */
  readonly builds: readonly string[]
  /** moving tag -> the build it points to */
  readonly moving: Readonly<Record<string, string>>
  /** builds that carry a signature */
  readonly signed: readonly string[]
}

const SHELVES: Readonly<Record<string, Shelf>> = {
  'acme/web': {
    platforms: BOTH,
    builds: [
      'v1.0.0',
      'v1.0.1',
      'v1.1.0',
      'v1.2.0',
      'v1.2.3-beta.1',
      'v1.2.3-rc.1',
      'v1.2.3-rc.2',
      'v1.2.3',
      'v1.3.0-beta.1',
      'v1.3.0',
      'v1.3.1',
      'v1.4.0',
      'v1.4.1',
      'v1.4.2',
      'v1.5.0-rc.1',
      'v2.0.0',
      'v2.1.0',
      'main-3f9c2ab-20261118093012',
      'main-b71e04d-20261119141530',
      'main-c0ffee1-20261120101500',
    ],
    moving: {
      'v1.3': 'v1.3.1',
      'v1.4': 'v1.4.2',
      v1: 'v1.4.2',
      stable: 'v1.4.2',
      latest: 'v2.1.0',
    },
    signed: ['v1.4.2'],
  },
  'acme/api': {
    platforms: BOTH,
    builds: [
      '20261015.1',
      '20261022.1',
      '20261022.2',
      '20261029.1',
      '20261101.1',
      '20261101.2',
      '20261101.3',
    ],
    moving: { stable: '20261029.1', latest: '20261101.3' },
    signed: [],
  },
  'acme/migrate': {
    platforms: AMD64,
    builds: ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.4.2', 'v2.0.0'],
    moving: { stable: 'v1.4.2', latest: 'v2.0.0' },
    signed: [],
  },
  'acme/worker': {
    platforms: BOTH,
    builds: [
      'v1.9.0-build.118',
      'v1.9.1-build.131',
      'v1.10.0-build.140',
      'v1.10.0-build.141',
      'v1.10.1-build.152',
      'v1.11.0-build.160',
      'v2.0.0-build.171',
    ],
    moving: {
      'v1.9.0': 'v1.9.0-build.118',
      'v1.10.0': 'v1.10.0-build.141',
      stable: 'v1.10.1-build.152',
      latest: 'v2.0.0-build.171',
    },
    signed: [],
  },
}

/** The bundled repositories, made anew in a few milliseconds with the same digests every time. */
export function acmeRepositories(): Map<string, StoredRepository> {
  return new Map(Object.entries(SHELVES).map(([name, shelf]) => [name, stock(name, shelf)]))
}

function stock(name: string, shelf: Shelf): StoredRepository {
  const repository = createStoredRepository()
  for (const tag of shelf.builds) {
    const digest = addImage(repository, { title: `${name} ${tag}`, platforms: shelf.platforms })
    repository.tags.set(tag, digest)
    if (shelf.signed.includes(tag)) addSignature(repository, digest)
  }
  for (const [tag, build] of Object.entries(shelf.moving)) {
    repository.tags.set(tag, repository.tags.get(build)!)
  }
  return repository
}
