import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Conversion,
  conversionText,
  convertDocuments,
  fileName,
  objectText,
} from '../convert/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import { LARGEST_FILE, type ObjectDocument, printable, readDocuments } from '../policies/index.ts'
import { surveyPaths } from '../sources/index.ts'
import type { Streams } from './output.ts'

/** Options of `tagwarden convert` as the command line gives them. */
export interface ConvertOptions {
  readonly outputDir?: string
}

interface Manifests {
  readonly documents: readonly ObjectDocument[]
  readonly problems: readonly TagwardenError[]
}

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
  const { documents, problems: unread } = await readManifests(paths)
  const conversion = convertDocuments(documents)
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
  const problems = survey.problems.map(({ message, position, cause }) => {
    const remedy = 'Check the path'
    return new TagwardenError('ERR_USAGE', message, { remedy, position, cause })
  })
  const add = (text: string, file: string) => {
    const read = readDocuments(text, file)
    documents.push(...read.documents)
    problems.push(...read.problems)
  }
  if (named.includes('-')) add(await readInput(), 'stdin')
  for (const file of survey.files.keys()) {
    try {
      const { size } = await stat(file)
      // a longer one is refused with its size, unread
      add(size > LARGEST_FILE ? ' '.repeat(LARGEST_FILE + 1) : await readFile(file, 'utf8'), file)
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
      const message = `cannot be read (${code})`
      const remedy = 'Check the path'
      problems.push(new TagwardenError('ERR_USAGE', message, { remedy, position: { file }, cause }))
    }
  }
  return { documents, problems }
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of process.stdin) {
    parts.push(part)
    length += part.length
    if (length > LARGEST_FILE) break
  }
  return Buffer.concat(parts).toString('utf8')
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
