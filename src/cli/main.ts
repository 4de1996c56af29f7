import { basename } from 'node:path'
import { Argument, Command, CommanderError, Help, Option } from 'commander'
import { TagwardenError } from '../errors.ts'
import { addAudit } from './audit_command.ts'
import { addExamples } from './examples.ts'
import { guardStreams, reportFailure, STREAMS } from './output.ts'
import { addReview } from './review_command.ts'
import { configOption, contextOption, kubeconfigOption, outputOption } from './shared_options.ts'
import { VERSION } from './version.ts'

/** The command line. Each command is loaded when it is called: they differ much in what they need. */
export function createProgram(): Command {
  const program = new Command('tagwarden')
    .description('Enforces image policies and resolves tags to the newest permitted version')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: STREAMS.out, writeErr: STREAMS.err })
    .showSuggestionAfterError()
    .configureHelp({ commandUsage })
  program
    .command('serve')
    .description(
      'runs the webhook; without a configuration, on a bundled registry and example policies',
    )
    .addOption(configOption())
    .action(async (options) => (await import('./serve.ts')).serve(options))
  program
    .command('select')
    .description('evaluates one policy over tags, given one a line')
    .requiredOption(
      '-p, --policy <file>',
      'file with exactly one policy, in any of the three forms',
    )
    .option('-t, --tags <file>', 'file with tags, or - for standard input', '-')
    .option('--name <name>', 'the policy to take from a file with several')
    .addOption(outputOption(['text', 'json']))
    .action(async (options) => {
      process.exitCode = await (await import('./select.ts')).select(options, STREAMS)
    })
  program
    .command('explain <image>')
    .description('shows what the policies make of an image, and why')
    .option('--policies <folder...>', 'folders or files with policies (default: as configured)')
    .option('-n, --namespace <name>', 'namespace of the workload')
    .option('--cluster', 'use the policies in force in a cluster, and tell whom they affect')
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .addOption(configOption())
    .addOption(outputOption(['text', 'json']))
    .action(async (image, options) => {
      process.exitCode = await (await import('./explain.ts')).explain(image, options, STREAMS)
    })
  addReview(program)
  addAudit(program)
  program
    .command('convert [paths...]')
    .description('converts settings of Flux, Keel and Argo CD Image Updater to policies')
    .option(
      '--output-dir <folder>',
      'write a file for each object (default: all to standard output)',
    )
    .action(async (paths, options) => {
      process.exitCode = await (await import('./convert.ts')).convert(paths, options, STREAMS)
    })
  program
    .command('dev')
    .description('runs the webhook on this machine and registers it in a cluster while it runs')
    .requiredOption('--kubeconfig <file>', 'the cluster to register in')
    .addOption(contextOption())
    .addOption(configOption())
    .option('--url <url>', 'base URL that the API server reaches (default: where it listens)')
    .addOption(
      new Option('--failure-policy <policy>', 'what the API server does when it gets no answer')
        .choices(['Ignore', 'Fail'])
        .default('Ignore'),
    )
    .option('--timeout <seconds>', 'how long the API server waits, 1 to 30', '10')
    .action(async (options) => (await import('./dev.ts')).dev(options))
  program
    .command('completion')
    .description('prints a script that completes commands, options and files in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => {
      STREAMS.out((await import('./completion.ts')).completionScript(program, shell))
    })
  addExamples(program)
  return program
}

/** As a plugin of kubectl it has another name. */
function commandUsage(command: Command): string {
  const usage = new Help().commandUsage(command)
  const called = basename(process.argv[1] ?? '')
  return called.startsWith('kubectl-') ? `kubectl ${usage}` : usage
}

/** Runs a command line; never rejects. The exit code is set on the process. */
export async function run(argv: readonly string[]): Promise<void> {
  guardStreams()
  try {
    await createProgram().parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has said what is wrong; help and version are no failures.
      process.exitCode = error.exitCode === 0 ? 0 : new TagwardenError('ERR_USAGE', '').exitCode
    } else {
      process.exitCode = reportFailure(error, STREAMS)
    }
  }
}
