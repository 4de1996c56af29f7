import { insertionPoint } from './changed_list.ts'

/** So many changes are kept beside the list that they change before a new list is made. */
const MOST_CHANGES = 1000

const NONE: ReadonlySet<string> = new Set()

/** Tags, each once. Immutable; a change of a few tags costs nothing in the number of all. */
export class TagSet {
  /** in the order of `<` once the set is asked for a tag */
  #base: readonly string[]
  #isInOrder: boolean
  readonly #added: ReadonlySet<string>
  readonly #removed: ReadonlySet<string>

  private constructor(
    base: readonly string[],
    isInOrder: boolean,
    added: ReadonlySet<string>,
    removed: ReadonlySet<string>,
  ) {
    this.#base = base
    this.#isInOrder = isInOrder
    this.#added = added
    this.#removed = removed
  }

  /** Keeps the list itself if it is in order. */
  static of(tags: readonly string[]): TagSet {
    const inOrder = isInOrder(tags)
    return new TagSet(inOrder ? tags : [...new Set(tags)], inOrder, NONE, NONE)
  }

  get size(): number {
    return this.#base.length - this.#removed.size + this.#added.size
  }

  has(tag: string): boolean {
    return this.#added.has(tag) || (this.#inBase(tag) && !this.#removed.has(tag))
  }

  #inBase(tag: string): boolean {
    if (!this.#isInOrder) {
      this.#base = this.#base.toSorted()
      this.#isInOrder = true
    }
    return this.#base[insertionPoint(this.#base, (it) => it < tag)] === tag
  }

  /** @returns the tags in no particular order */
  toArray(): readonly string[] {
    if (this.#added.size + this.#removed.size === 0) {
      return this.#base
    }
    return [...this.#base.filter((tag) => !this.#removed.has(tag)), ...this.#added]
  }

  /** A set without some of its tags and with others that it lacks. */
  change(gone: readonly string[], fresh: readonly string[]): TagSet {
    const added = new Set(this.#added)
    const removed = new Set(this.#removed)
    for (const tag of gone) {
      if (!added.delete(tag)) removed.add(tag)
    }
    for (const tag of fresh) {
      if (!removed.delete(tag)) added.add(tag)
    }
    const changed = new TagSet(this.#base, this.#isInOrder, added, removed)
    return added.size + removed.size > MOST_CHANGES ? TagSet.of(changed.toArray()) : changed
  }
}

function isInOrder(tags: readonly string[]): boolean {
  for (let i = 1; i < tags.length; i++) {
    if ((tags[i - 1] as string) >= (tags[i] as string)) {
      return false
    }
  }
  return true
}
