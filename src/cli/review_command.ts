import type { Command } from 'commander'
import { FORMS } from '../reports/types.ts'
import { STREAMS } from './output.ts'
import { addReportOptions, collect } from './report_options.ts'
import { contextOption, kubeconfigOption } from './shared_options.ts'

/** `tagwarden review`: its options. What it does is loaded when it is called. */
export function addReview(program: Command): void {
  const command = program
    .command('review [paths...]')
    .description('judges manifests as the webhook would, before they are applied')
    .option('--policies <path>', 'folder or file with policies (default: as configured)', collect)
    .option('--cluster', 'use the policies in force in a cluster, too')
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .option('-n, --namespace <name>', 'namespace of objects that name none', 'default')
    .option('--index <folder>', 'an index to read from (default: as configured)')
    .option('--offline', 'ask no registry, and report what the index lacks')
    .option('--exclude <pattern>', 'leave out files, by patterns as in a .gitignore', collect)
    .option('--helm-values <pattern>', 'look for images in these files of Helm values', collect)
    .option('--stdin', 'read standard input, as the path - does')
    .option('--changed-since <revision>', 'look only at what has changed in Git since then')
    .option('--fix', 'write what is permitted in place of what is not')
    .option('--pin', 'write what policies would resolve images to, too')
    .option('--dry-run', 'show what would be written')
    .option('--baseline <file>', 'accept the findings that stand in this file')
    .option('--write-baseline <file>', 'write all findings to this file')
  addReportOptions(command, [...FORMS, 'admission', 'manifests']).action(async (paths, options) => {
    const { review } = await import('./review.ts')
    const version = program.version() ?? ''
    process.exitCode = await review(paths, { ...options, version }, STREAMS)
  })
}
