import type { TagwardenError } from '../errors.ts'
import { readDocuments } from './document.ts'
import { readObject } from './kinds.ts'
import type { PolicyResource } from './resource.ts'

/** What a policy file holds. */
export interface ParsedPolicies {
  readonly resources: readonly PolicyResource[]
  /** everything that is wrong with the file, each with line, column, field and remedy */
  readonly problems: readonly TagwardenError[]
  /** how many objects are of kinds that are no policies */
  readonly skipped: number
}

/**
 * Reads the policies of a text: YAML of several documents, or JSON. Three forms are read:
 * tagwarden.io ImagePolicy and ClusterImagePolicy, Flux's ImageRepository and ImagePolicy, and
 * the list `imagePolicies` of a Kustomization. Never throws for what the text holds.
 *
 * @param file name for the positions of problems
 * @example
 *   const { resources, problems } = parsePolicies(text, 'policies/web.yaml')
 */
export function parsePolicies(text: string, file: string): ParsedPolicies {
  const { documents, problems: wrong } = readDocuments(text, file)
  const resources: PolicyResource[] = []
  const problems = [...wrong]
  let skipped = 0
  for (const document of documents) {
    const reading = readObject(document)
    if (reading === undefined) skipped += 1
    resources.push(...(reading?.resources ?? []))
    problems.push(...(reading?.problems ?? []))
  }
  return { resources, problems, skipped }
}
