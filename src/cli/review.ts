import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { type Config, excludedNamespaces, loadConfig } from '../config/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import type { Form, Report } from '../reports/index.ts'
import {
  accepting,
  createPatterns,
  createScope,
  findManifests,
  fixedText,
  gitChanges,
  type ManifestFile,
  type ManifestInput,
  namespaceLabelsIn,
  noFile,
  notEmpty,
  openFile,
  type ReviewedFile,
  type ReviewProgress,
  readBaseline,
  reviewManifests,
  rewriteFile,
  streamText,
  unifiedDiff,
  writeBaseline,
} from '../review/index.ts'
import { onInterruption } from './interruption.ts'
import type { Streams } from './output.ts'
import { createProgress, timeLeft } from './progress.ts'
import {
  exitCodeOf,
  INTERRUPTED,
  parseReportFiles,
  shownReport,
  writeReports,
  writeWhole,
} from './report_output.ts'
import { reviewSettings } from './review_settings.ts'
import { openWorld, type WorldOptions } from './review_world.ts'

/** Options of `tagwarden review` as the command line gives them. */
export interface ReviewCommandOptions extends WorldOptions {
  readonly config?: string
  readonly namespace: string
  readonly exclude?: readonly string[]
  readonly helmValues?: readonly string[]
  readonly changedSince?: string
  readonly stdin?: boolean
  readonly fix?: boolean
  readonly pin?: boolean
  readonly dryRun?: boolean
  readonly baseline?: string
  readonly writeBaseline?: string
  readonly failOn: 'deny' | 'warn'
  readonly output: Form | 'admission' | 'manifests'
  readonly report?: readonly string[]
  readonly version: string
}

const STDIN = '-'
const KUSTOMIZATION = /^(?:kustomization\.ya?ml|Kustomization)$/

/**
 * `tagwarden review`: what admission would say of manifests.
 *
 * @returns exit code: 0 all right, 1 violations, 2 something could not be looked at, 130 stopped
 * @throws TagwardenError for what is wrong with the command line, policies or configuration
 */
export async function review(
  paths: readonly string[],
  options: ReviewCommandOptions,
  streams: Streams,
): Promise<number> {
  checkOptions(paths, options)
  // Each document is garbage once it is judged. V8 would let it pile up to three times the memory.
  setFlagsFromString('--semi-space-growth-factor=1')
  const files = parseReportFiles(options.report ?? [])
  const baseline = options.baseline === undefined ? undefined : await baselineOf(options.baseline)
  const cwd = process.cwd()
  const config = await loadConfig({ file: options.config, env: process.env, cwd })
  const interruption = onInterruption()
  const world = await openWorld(config, options, streams, interruption.signal)
  try {
    const { report: found, fixed } = await reviewAll(paths, options, {
      ...{ cwd, config, world, streams },
      signal: interruption.signal,
    })
    const whole = { ...found, notes: [...world.notes, ...(found.notes ?? [])] }
    const report = baseline ? accepting(whole, baseline, options.baseline ?? '') : whole
    const code = exitCodeOf(report, options.failOn)
    tell(report, options, streams)
    if (fixed.images > 0) {
      const would = options.dryRun ? 'would fix' : 'fixed'
      const where = options.output === 'manifests' ? '' : ` in ${count(fixed.files, 'file')}`
      streams.err(`tagwarden: ${would} ${count(fixed.images, 'image')}${where}\n`)
    }
    const saved = await saveBaseline(whole, options, streams)
    const written = await writeReports(report, files, code, streams)
    return (saved && written) || code === INTERRUPTED ? code : 2
  } finally {
    interruption.end()
    await world.close()
  }
}

interface Run {
  readonly cwd: string
  readonly config: Config
  readonly world: Awaited<ReturnType<typeof openWorld>>
  readonly streams: Streams
  readonly signal: AbortSignal
}

async function reviewAll(paths: readonly string[], options: ReviewCommandOptions, run: Run) {
  const { cwd, config, world, streams, signal } = run
  const manifests = options.output === 'manifests'
  const fixes = options.fix || options.pin || manifests
  const problems: TagwardenError[] = [...world.problems]
  const named = options.stdin ? [...paths, STDIN] : paths
  const given = named.length === 0 ? ['.'] : named
  const choice = {
    paths: given.filter((path) => path !== STDIN),
    cwd,
    exclude: options.exclude ?? [],
    passOver: config.catalog.path === undefined ? [] : [config.catalog.path],
  }
  const found: ManifestFile[] = []
  for await (const file of findManifests(choice, (problem) => problems.push(problem))) {
    if (signal.aborted) break
    found.push(file)
  }
  const changes =
    options.changedSince === undefined
      ? undefined
      : await gitChanges(options.changedSince, cwd, {
          files: found.map(({ path }) => path),
          wasReviewed: createScope(choice),
        })
  const wanted = changes ? found.filter(({ path }) => changes.linesOf(path)) : found
  const selects = world.policies().policies.some(({ namespaceSelector }) => namespaceSelector)
  const labels = selects
    ? await namespaceLabelsIn(
        found.map(({ path }) => path),
        signal,
      )
    : undefined
  const isValues = createPatterns(options.helmValues ?? [], cwd)
  const placeOf = (path: string, name: string) => ({
    file: name,
    namespace: options.namespace,
    title: basename(dirname(path)) || '(no name)',
    values: isValues(path, false),
    kustomization: KUSTOMIZATION.test(basename(path)),
  })
  async function* inputs(): AsyncGenerator<ManifestInput> {
    if (given.includes(STDIN)) {
      const place = { ...placeOf(resolve(cwd, STDIN), STDIN), title: 'standard input' }
      const text = streamText(process.stdin, STDIN, false)
      yield { place, text: manifests ? text : notEmpty(text) }
    }
    for (const { path, name } of wanted) {
      const text = openFile(path, fixes === true)
      yield { place: placeOf(path, name), text, changed: changes?.linesOf(path) }
    }
  }
  const progress = createProgress(process.stderr)
  const all = wanted.length + (given.includes(STDIN) ? 1 : 0)
  // what comes by standard input has no known end
  const isSized = process.stderr.isTTY && !given.includes(STDIN)
  const size = isSized ? sizeOf(wanted) : undefined
  const started = Date.now()
  const pathsByName = new Map(wanted.map(({ path, name }) => [name, path]))
  const result = await reviewManifests({
    version: options.version,
    inputs: inputs(),
    admission: {
      policies: world.policies,
      source: world.source,
      ...reviewSettings(config),
      namespaceLabels: (name) => labels?.get(name) ?? world.namespaceLabels(name),
    },
    excludedNamespaces: excludedNamespaces(config.cluster).filter(
      (each) => each !== options.namespace,
    ),
    isLabelled: (name) => options.cluster === true || labels?.has(name) === true,
    keyIn: world.keyIn,
    fixing: fixes ? { level: options.failOn, pin: options.pin === true || manifests } : undefined,
    onFix: manifests
      ? async () => undefined
      : (file) => applyFix(file, pathsByName, options, streams),
    dryRun: options.dryRun && !manifests,
    onText: manifests ? streams.out : undefined,
    onAnswer: options.output === 'admission' ? (answer) => streams.out(`${answer}\n`) : undefined,
    onProgress: (now) =>
      progress.show(() => progressLine(now, { files: all, size }, Date.now() - started)),
    problems,
    signal,
  })
  progress.end()
  return result
}

async function applyFix(
  file: ReviewedFile,
  paths: ReadonlyMap<string, string>,
  { dryRun }: ReviewCommandOptions,
  streams: Streams,
): Promise<TagwardenError | undefined> {
  const path = paths.get(file.place.file)
  if (path === undefined || !file.fixed) return undefined
  if (!dryRun) return rewriteFile(path, file)
  if (file.hash === undefined) return noFile(file.place.file)
  const before = await readFile(path, 'utf8')
  streams.out(unifiedDiff(file.place.file, before, fixedText(before, file.fixed.documents)))
  return undefined
}

function checkOptions(paths: readonly string[], options: ReviewCommandOptions): void {
  const { fix, pin, dryRun, output, stdin } = options
  const reads = stdin || paths.includes(STDIN)
  const wrong = (message: string, remedy: string) =>
    new TagwardenError('ERR_USAGE', message, { remedy })
  if (dryRun && !fix && !pin) {
    throw wrong('--dry-run shows what --fix would write', 'Add --fix or --pin')
  }
  if (dryRun && output === 'manifests') {
    throw wrong('--output manifests writes no file', 'Leave out --dry-run')
  }
  if ((fix || pin) && reads && output !== 'manifests') {
    throw wrong('standard input cannot be fixed in place', 'Add --output manifests')
  }
  if (reads && options.changedSince !== undefined) {
    throw wrong('--changed-since needs files', 'Give files or folders instead of -')
  }
}

async function baselineOf(file: string) {
  try {
    return readBaseline(await readFile(file, 'utf8'), file)
  } catch (cause) {
    if (cause instanceof TagwardenError) throw cause
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new TagwardenError('ERR_USAGE', `the baseline cannot be read (${code})`, {
      position: { file },
      remedy: 'Write one with --write-baseline',
      cause,
    })
  }
}

async function saveBaseline(
  report: Report,
  { writeBaseline: file }: ReviewCommandOptions,
  streams: Streams,
): Promise<boolean> {
  // a baseline of half the files would make the other half new
  if (file === undefined || report.interrupted) return true
  const failure = await writeWhole(file, writeBaseline(report.findings))
  if (failure) streams.err(`tagwarden: ${failure.code} ${describeError(failure)}\n`)
  return failure === undefined
}

/** What goes to standard output is the report, unless that holds something else. */
function tell(report: Report, { output, dryRun }: ReviewCommandOptions, streams: Streams): void {
  const other = output === 'admission' || output === 'manifests'
  if (other || dryRun) {
    const form = other ? 'text' : output
    streams.err(shownReport(report, form, process.stderr))
  } else {
    streams.out(shownReport(report, output, process.stdout))
  }
}

/** Bytes of files, for an estimate. */
function sizeOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { path }) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    return sum + (stats?.size ?? 0)
  }, 0)
}

function progressLine(
  now: ReviewProgress,
  all: { readonly files: number; readonly size: number | undefined },
  took: number,
): string {
  const parts = [
    `${now.files.toLocaleString('en')} of ${count(all.files, 'file')}`,
    count(now.documents, 'document'),
    count(now.findings, 'finding'),
    ...(now.asked > 0 ? [`${now.answered} of ${count(now.asked, 'look-up')}`] : []),
    all.size === undefined ? '' : timeLeft(now.read, all.size, took),
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}
