import { TagwardenError } from '../errors.ts'
import { displayImage, escapeText } from './display.ts'
import {
  DIGEST_LENGTHS,
  isDigest,
  isHost,
  isImageId,
  isPath,
  isTag,
  LONGEST_PATH,
  LONGEST_REFERENCE,
  LONGEST_TAG,
  pathPrefix,
  pathStart,
  readReference,
  splitReference,
} from './grammar.ts'

/** What is wrong, and what to do about it. */
type Fault = readonly [message: string, remedy: string]

const EXAMPLE = 'Write a reference such as registry.example.com/team/app:v1.2.3'
const HOST_RULE =
  'Write a host name, an IPv4 address or an IPv6 address in brackets, with ":" and a port if it needs one'
const PATH_RULE =
  'Write lower-case letters and digits, joined by one ".", one or two "_", or any number of "-"'
export const TAG_RULE =
  'Write at most 128 letters, digits, "_", "." and "-", the first of them no "." and no "-"'
export const DIGEST_RULE =
  'Copy the digest as the registry gives it: sha256: and 64 lower-case hex digits'
const LONGEST_CORRECTION = 200

/** Why a value is not an image reference, as an error that is ready to be thrown. */
export function referenceFault(value: unknown): TagwardenError {
  const [message, remedy] =
    typeof value === 'string' ? textFault(value) : ['an image is a text', EXAMPLE]
  return new TagwardenError(
    'ERR_INVALID_REFERENCE',
    `${displayImage(value)} is not an image reference: ${message}`,
    { remedy },
  )
}

function textFault(text: string): Fault {
  if (text === '') return ['it is empty', EXAMPLE]
  if (text.length > LONGEST_REFERENCE) {
    return [`it has ${text.length} characters, more than ${LONGEST_REFERENCE}`, EXAMPLE]
  }
  if (isImageId(text)) {
    return ['it is the bare id of an image', 'Write the repository and the digest: name@sha256:…']
  }
  const scheme = /^[a-z]{1,20}:\/\//i.exec(text)?.[0]
  if (scheme) {
    return [`it starts with ${scheme}`, correction('Leave that out', text.slice(scheme.length))]
  }
  return strangerFault(text) ?? partFault(text)
}

/** A character that stands in no part of a reference. */
function strangerFault(text: string): Fault | undefined {
  const stranger = text.search(/[^\w.:@/[\]+-]/)
  if (stranger < 0) return undefined
  const placeholder = /[${}<>]/.test(text.charAt(stranger))
  const remedy = placeholder ? 'Fill in the placeholder' : 'Remove it'
  return [characterAt(text, stranger), correction(remedy, text.trim())]
}

function partFault(text: string): Fault {
  const { name, tag, digest } = splitReference(text)
  const start = pathStart(name)
  if (name === '') return ['it has no repository', EXAMPLE]
  if (start === 0 && name.startsWith('[')) {
    return ['it has no repository after the host', 'Write one, such as [::1]:5000/app']
  }
  return (
    (digest === undefined ? undefined : digestFault(text, digest)) ??
    (start === 0 ? undefined : hostFault(text, name, name.slice(0, start - 1))) ??
    (tag === undefined ? undefined : tagFault(text, name, tag)) ??
    pathFault(text, name, start)
  )
}

function digestFault(text: string, digest: string): Fault | undefined {
  if (isDigest(digest)) return undefined
  const start = text.length - digest.length
  const remedy = correction(DIGEST_RULE, text.slice(0, start) + digest.toLowerCase())
  const algorithm = digest.slice(0, Math.max(digest.indexOf(':'), 0))
  const length = DIGEST_LENGTHS.get(algorithm)
  if (length === undefined) {
    return [`no known digest algorithm stands at character ${start + 1}`, remedy]
  }
  const hex = digest.slice(algorithm.length + 1)
  const wrong = hex.search(/[^a-f0-9]/)
  if (wrong >= 0)
    return [`${characterAt(text, text.length - hex.length + wrong)} in a digest`, remedy]
  return [`a ${algorithm} digest has ${length} hex digits, this one has ${hex.length}`, remedy]
}

function hostFault(text: string, name: string, host: string): Fault | undefined {
  if (isHost(host) || isPath(host)) return undefined
  const message = `${displayImage(host)} is not the host of a registry`
  const lower = name.toLowerCase() + text.slice(name.length)
  return [message, readReference(lower) ? lowerCase(lower) : HOST_RULE]
}

function tagFault(text: string, name: string, tag: string): Fault | undefined {
  if (isTag(tag)) return undefined
  const start = name.length + 1
  if (tag === '') {
    return [`no tag follows ":" at character ${start}`, 'Write a tag, or leave ":" out']
  }
  const wrong = tag.search(/^[.-]|[^\w.-]/)
  if (wrong >= 0) return [`${characterAt(text, start + wrong)} in a tag`, TAG_RULE]
  return [`the tag has ${tag.length} characters, more than ${LONGEST_TAG}`, TAG_RULE]
}

function pathFault(text: string, name: string, start: number): Fault {
  const path = name.slice(start)
  const capital = path.search(/[A-Z]/)
  if (capital >= 0) {
    const lower = text.slice(0, start) + path.toLowerCase() + text.slice(name.length)
    return [`${characterAt(text, start + capital)} in a repository`, lowerCase(lower)]
  }
  let at = start
  for (const component of path.split('/')) {
    if (component === '') {
      const tidy = text.replace(/\/{2,}/g, '/').replace(/^\/|\/$/g, '')
      const message = `the repository has an empty part at character ${at + 1}`
      return [message, correction('Remove a "/" or add what is missing', tidy)]
    }
    const right = pathPrefix(component)
    if (right < component.length)
      return [`${characterAt(text, at + right)} in a repository`, PATH_RULE]
    at += component.length + 1
  }
  return [`the repository is longer than ${LONGEST_PATH} characters`, 'Shorten it']
}

/** The character counts from 1. */
function characterAt(text: string, index: number): string {
  return `"${escapeText(text.charAt(index))}" at character ${index + 1} may not stand`
}

function lowerCase(text: string): string {
  return correction('Write the repository in lower case', text)
}

/** The remedy, with the corrected text if that is a reference. */
function correction(remedy: string, text: string): string {
  return text.length <= LONGEST_CORRECTION && readReference(text) ? `${remedy}: ${text}` : remedy
}
