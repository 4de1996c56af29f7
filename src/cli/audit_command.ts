import type { Command } from 'commander'
import { FORMS } from '../reports/index.ts'
import { STREAMS } from './output.ts'
import { addReportOptions, collect } from './report_options.ts'
import { contextOption, kubeconfigOption } from './shared_options.ts'

/** `tagwarden audit`: its options. What it does is loaded when it is called. */
export function addAudit(program: Command): void {
  const command = program
    .command('audit')
    .description('judges what runs in a cluster, as at admission')
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .option('-n, --namespace <name>', 'look at this namespace only')
    .option('-l, --selector <labels>', 'look at workloads with these labels only')
    .option('--policy <name>', 'tell only what this policy says')
    .option('--policies <path>', 'folder or file instead of the policies in force', collect)
    .option('--what-if <path>', 'tell what the policies of a folder or file would change', collect)
    .option('--offline', 'ask no registry, and report what the index lacks')
    .option('--watch', 'keep looking, and show what changes')
  addReportOptions(command, FORMS).action(async (options) => {
    const { audit } = await import('./audit.ts')
    const version = program.version() ?? ''
    process.exitCode = await audit({ ...options, version }, STREAMS)
  })
}
