import { type Command, Option } from 'commander'

/** Adds the options of a command that makes a report. */
export function addReportOptions(command: Command, forms: readonly string[]): Command {
  return command
    .addOption(
      new Option('--fail-on <level>', 'what counts as a violation')
        .choices(['deny', 'warn'])
        .default('deny'),
    )
    .addOption(
      new Option('-o, --output <form>', 'how to print the result').choices(forms).default('text'),
    )
    .option('--report <form=file>', 'write the report to a file, too', collect)
    .option('-c, --config <file>', 'configuration file (default: ./tagwarden.yaml, if it is there)')
}

/** An option that may be given several times. It takes one value each: the next word may be a path. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
