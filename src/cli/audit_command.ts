import { type Command, Option } from 'commander'
import { FORMS } from '../reports/index.ts'
import { STREAMS } from './output.ts'
import { collect } from './review_command.ts'

/** `tagwarden audit`: its options. What it does is loaded when it is called. */
export function addAudit(program: Command): void {
  program
    .command('audit')
    .description('judges what runs in a cluster, as at admission')
    .option('--kubeconfig <file>', 'the cluster (default: as kubectl finds it)')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', 'look at this namespace only')
    .option('-l, --selector <labels>', 'look at workloads with these labels only')
    .option('--policy <name>', 'tell only what this policy says')
    .option('--policies <path>', 'folder or file instead of the policies in force', collect)
    .option('--what-if <path>', 'tell what the policies of a folder or file would change', collect)
    .option('--offline', 'ask no registry: what the index lacks is told as lacking')
    .option('--watch', 'keep looking, and show what changes')
    .addOption(
      new Option('--fail-on <level>', 'what counts as a violation')
        .choices(['deny', 'warn'])
        .default('deny'),
    )
    .addOption(
      new Option('-o, --output <form>', 'how to print the result')
        .choices([...FORMS])
        .default('text'),
    )
    .option('--report <form=file>', 'write the report to a file, too', collect)
    .option('-c, --config <file>', 'configuration file (default: ./tagwarden.yaml, if it is there)')
    .action(async (options) => {
      const { audit } = await import('./audit.ts')
      const version = program.version() ?? ''
      process.exitCode = await audit({ ...options, version }, STREAMS)
    })
}
