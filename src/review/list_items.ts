import { isObject, own } from '../admission/index.ts'
import { openJsonList } from './json_list.ts'
import { isJson } from './json_text.ts'
import { isFault, readManifest } from './manifest.ts'
import { openYamlList } from './yaml_list.ts'

/** What the items of a List are that do not say it themselves, as those of a DeploymentList. */
export interface ItemType {
  readonly apiVersion: string
  readonly kind: string
}

/** A part of the text of a List: one item, or what stands around items. */
export interface ListPart {
  readonly text: string
  readonly isItem: boolean
  /** another document follows it */
  readonly isLast?: true
}

/**
 * Takes the parts that are whole from the start of a text. What is left has to stand at the start of
 * the next text.
 *
 * @param isAll nothing follows
 */
export type ListCut = (text: string, isAll: boolean) => ListPart[]

/** A text that begins like a List. */
export interface ListHead {
  /** if it stands before the items */
  readonly kind: string | undefined
  readonly apiVersion: string | undefined
  /** cuts from the start of the document on */
  readonly open: () => ListCut
}

/** A List that can be read item by item. */
export interface LongList {
  /** undefined: the items say it themselves */
  readonly type: ItemType | undefined
  readonly cut: ListCut
}

/**
 * A List whose items can be read by themselves; undefined for everything else.
 *
 * @param text the document, or the beginning of it
 */
export function openList(text: string): LongList | undefined {
  const head = isJson(text) ? openJsonList(text) : openYamlList(text)
  if (!head) return undefined
  const { kind = 'List', apiVersion = '' } = head
  if (!kind.endsWith('List')) return undefined
  const type = kind === 'List' ? undefined : { apiVersion, kind: kind.slice(0, -4) }
  return type || hasOwnType(head.open()(text, false)) ? { type, cut: head.open() } : undefined
}

/** The value of an item; YAML gives it as the only element of a sequence. */
export function itemValue(value: unknown, type: ItemType | undefined): unknown {
  const item = Array.isArray(value) ? value[0] : value
  return type && isObject(item) && own(item, 'kind') === undefined ? { ...type, ...item } : item
}

/** The kind of a List may stand behind its items: then they have to say theirs. */
function hasOwnType(parts: readonly ListPart[]): boolean {
  const first = parts.find(({ isItem }) => isItem)
  const manifest = first && readManifest(first.text)
  if (!manifest || isFault(manifest)) return false
  const item = itemValue(manifest.value, undefined)
  return isObject(item) && ['apiVersion', 'kind'].every((key) => typeof own(item, key) === 'string')
}
