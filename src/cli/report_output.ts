import { mkdir, readlink, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import { describeError, TagwardenError } from '../errors.ts'
import { FORMS, type Form, formatReport, type Level, type Report } from '../reports/index.ts'
import { replace } from '../review/index.ts'
import { isColourful, type Streams } from './output.ts'

/** A report that is written to a file. */
export interface ReportFile {
  readonly form: Form
  readonly file: string
}

/** A name of what a process has opened, such as `/dev/stdout`, whatever that leads to. */
const OPENED = /^\/(?:dev|proc)\//

/** Exit code of a command that was told to stop. */
export const INTERRUPTED = 130

/**
 * Reads each `FORM=FILE`.
 *
 * @throws TagwardenError ERR_USAGE, also for a file that two reports are to be written to
 */
export function parseReportFiles(texts: readonly string[]): readonly ReportFile[] {
  const files = texts.map(parseReportFile)
  files.forEach(({ file }, index) => {
    const path = resolve(file)
    if (OPENED.test(path) || files.findIndex((each) => resolve(each.file) === path) === index)
      return
    throw new TagwardenError('ERR_USAGE', `two reports are to be written to ${file}`, {
      remedy: 'Give each a file of its own',
    })
  })
  return files
}

function parseReportFile(text: string): ReportFile {
  const at = text.indexOf('=')
  const form = FORMS.find((each) => each === text.slice(0, at))
  const file = text.slice(at + 1)
  if (form && file === '-') {
    throw new TagwardenError('ERR_USAGE', `--report ${text} names no file`, {
      remedy: `Write --output ${form} for standard output`,
    })
  }
  if (form && file !== '') return { form, file }
  throw new TagwardenError('ERR_USAGE', `--report ${text} is not FORM=FILE`, {
    remedy: `Write one of ${FORMS.join(', ')}, then = and the name of the file`,
  })
}

/** What a command ends with: 130 stopped, 2 something could not be looked at, 1 violations. */
export function exitCodeOf(report: Report, failOn: 'deny' | 'warn'): number {
  if (report.interrupted) return INTERRUPTED
  if (report.problems.length > 0) return 2
  const counts: readonly Level[] = failOn === 'warn' ? ['deny', 'warn'] : ['deny']
  return report.findings.some(({ level }) => counts.includes(level)) ? 1 : 0
}

/**
 * Where a job of GitHub works in its repository: a step may have a `working-directory`.
 *
 * @returns with `/`; empty at the top, undefined outside of it and outside of GitHub
 */
export function workspaceFolder(env: NodeJS.ProcessEnv, cwd: string): string | undefined {
  const { GITHUB_ACTIONS: isGithub, GITHUB_WORKSPACE: top } = env
  if (isGithub !== 'true' || top === undefined || top === '') return undefined
  const folder = relative(resolve(top), cwd).split(sep).join('/')
  return folder === '..' || folder.startsWith('../') ? undefined : folder
}

/** The report for a stream, in colour where that is a terminal. */
export function shownReport(report: Report, form: Form, stream: NodeJS.WriteStream): string {
  const width = stream.isTTY ? stream.columns : undefined
  const folder = workspaceFolder(process.env, process.cwd())
  return formatReport(report, form, { colour: isColourful(stream), width, folder })
}

/**
 * Writes reports to their files, each whole or not at all. One that fails does not keep the others.
 *
 * @returns whether all are written
 */
export async function writeReports(
  report: Report,
  files: readonly ReportFile[],
  exitCode: number,
  streams: Streams,
): Promise<boolean> {
  let written = true
  const folder = workspaceFolder(process.env, process.cwd())
  for (const { form, file } of files) {
    const text = formatReport(report, form, { exitCode, folder })
    const failure = await writeWhole(file, text)
    if (!failure) continue
    written = false
    streams.err(`tagwarden: ${failure.code} ${describeError(failure)}\n`)
  }
  return written
}

/** Writes a file whole or not at all, with the folders that it needs. */
export async function writeWhole(file: string, text: string): Promise<TagwardenError | undefined> {
  const path = resolve(file)
  try {
    await makeFolder(dirname(path))
    if (await isStream(path)) await writeFile(path, text, { flag: 'a' })
    else await replace(await behindLinks(path), text)
    return undefined
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    return new TagwardenError('ERR_WRITE', `cannot be written (${code})`, {
      position: { file },
      remedy: 'Check the folder, and whether this user may write there',
      cause,
    })
  }
}

/** Node's own recursive mkdir never ends where nothing can be made, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path)
  }
}

/**
 * Whether it is written to as it is, and never replaced by a file: /dev/null, pipes, and /dev/stdout,
 * where the report follows what stands there already.
 */
async function isStream(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined || stats.isDirectory()) return false
  if (!stats.isFile() || OPENED.test(path)) return true
  return OPENED.test(await linkedBy(path))
}

/** The file that a link leads to, also where it is not there yet. */
async function behindLinks(path: string): Promise<string> {
  return realpath(path).catch(() => linkedBy(path))
}

async function linkedBy(path: string): Promise<string> {
  return resolve(dirname(path), await readlink(path).catch(() => path))
}
