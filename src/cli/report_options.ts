import { type Command, Option } from 'commander'
import { configOption, outputOption } from './shared_options.ts'

/** Adds the options of a command that makes a report. */
export function addReportOptions(command: Command, forms: readonly string[]): Command {
  return command
    .addOption(
      new Option('--fail-on <level>', 'what counts as a violation')
        .choices(['deny', 'warn'])
        .default('deny'),
    )
    .addOption(outputOption(forms))
    .option('--report <form=file>', 'write the report to a file, too', collect)
    .addOption(configOption())
}

/** An option that may be given several times. It takes one value each: the next word may be a path. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
