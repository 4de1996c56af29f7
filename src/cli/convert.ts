import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Conversion,
  conversionText,
  convertDocuments,
  fileName,
  objectText,
} from '../convert/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import { type ObjectDocument, printable } from '../policies/index.ts'
import { openFile, streamText } from '../review/index.ts'
import { surveyPaths } from '../sources/index.ts'
import { readObjects } from './manifest_documents.ts'
import type { Streams } from './output.ts'

/** Options of `tagwarden convert` as the command line gives them. */
export interface ConvertOptions {
  readonly outputDir?: string
}

interface Manifests {
  readonly documents: readonly ObjectDocument[]
  readonly problems: readonly TagwardenError[]
  /** files with templates that have yet to be filled in */
  readonly templates: readonly string[]
}

const TEMPLATE = 'is a template: pipe the output of helm template into tagwarden convert'

/**
 * `tagwarden convert`: what other tools are told, as objects of tagwarden.io.
 *
 * @param paths files, folders, or `-` for standard input, which is the default
 * @returns exit code: 0 all of it, 1 something was left out or nothing was found, 2 a file is wrong
 * @throws TagwardenError ERR_USAGE
 */
export async function convert(
  paths: readonly string[],
  { outputDir }: ConvertOptions,
  streams: Streams,
): Promise<number> {
  const { documents, problems: unread, templates } = await readManifests(paths)
  const converted = convertDocuments(documents)
  const unfilled = templates.map((title) => ({ title, reason: TEMPLATE }))
  const conversion = { ...converted, leftOut: [...converted.leftOut, ...unfilled] }
  const problems = [...unread, ...conversion.problems]
  if (outputDir === undefined) streams.out(conversionText(conversion))
  else problems.push(...(await writeObjects(conversion, outputDir)))
  const { objects, leftOut } = conversion
  for (const { title, reason } of leftOut) {
    streams.err(`tagwarden: left out: ${printable(`${title}: ${reason}`)}\n`)
  }
  for (const problem of problems) {
    streams.err(`tagwarden: ${problem.code} ${describeError(problem)}\n`)
  }
  streams.err(`tagwarden: ${summary(conversion)}\n`)
  if (problems.length > 0) return 2
  return leftOut.length > 0 || objects.length === 0 ? 1 : 0
}

function summary({ objects, leftOut }: Conversion): string {
  if (objects.length === 0 && leftOut.length === 0) return 'found nothing to convert'
  const policies = objects.filter(({ object }) => object.kind !== 'ImageRepository').length
  const notes = objects.reduce((sum, each) => sum + each.notes.length, 0)
  const parts = [
    counted(policies, 'policy', 'policies'),
    counted(objects.length - policies, 'repository', 'repositories'),
    counted(notes, 'comment on what is not the same', 'comments on what is not the same'),
    `${leftOut.length} left out`,
  ]
  return `converted ${parts.join(', ')}`
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

async function readManifests(paths: readonly string[]): Promise<Manifests> {
  const named = paths.length > 0 ? paths : ['-']
  if (paths.length === 0 && process.stdin.isTTY) {
    throw new TagwardenError('ERR_USAGE', 'there is nothing to convert', {
      remedy: 'Name files or folders, or pipe manifests in',
    })
  }
  const survey = await surveyPaths(named.filter((path) => path !== '-'))
  const documents: ObjectDocument[] = []
  const templates: string[] = []
  const problems = survey.problems.map(({ message, position, cause }) => {
    const remedy = 'Check the path'
    return new TagwardenError('ERR_USAGE', message, { remedy, position, cause })
  })
  const add = async (source: ReturnType<typeof openFile>, file: string) => {
    const read = await readObjects(source, file)
    documents.push(...read.documents)
    problems.push(...read.problems)
    if (read.isTemplate) templates.push(file)
  }
  if (named.includes('-')) await add(streamText(process.stdin, 'stdin', false), 'stdin')
  for (const file of survey.files.keys()) await add(openFile(file, false), file)
  return { documents, problems, templates }
}

/** Writes one file for each object; never over a file that is there. */
async function writeObjects({ objects }: Conversion, folder: string): Promise<TagwardenError[]> {
  const problems: TagwardenError[] = []
  await mkdir(folder, { recursive: true })
  for (const each of objects) {
    const file = join(folder, fileName(each.object))
    try {
      await writeFile(file, objectText(each), { flag: 'wx' })
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
      const message = code === 'EEXIST' ? 'is there already' : `cannot be written (${code})`
      const remedy = code === 'EEXIST' ? 'Delete it, or choose another --output-dir' : ''
      problems.push(new TagwardenError('ERR_USAGE', message, { remedy, position: { file }, cause }))
    }
  }
  return problems
}
