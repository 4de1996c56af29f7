import type { Argument, Command, Option } from 'commander'

/** What a word of a command line can be. */
export interface Completed {
  /** the only ones that it can be; empty: anything */
  readonly choices: readonly string[]
  /** whether it names something on disk */
  readonly disk: 'file' | 'folder' | undefined
  readonly variadic: boolean
}

export interface CompletedOption {
  /** `-o`, `--output` */
  readonly names: readonly string[]
  readonly description: string
  /** undefined: it takes no value */
  readonly value: Completed | undefined
}

/** A command as a shell has to know it. */
export interface CompletedCommand {
  /** words after the program's name: empty for the program itself, `select`, `index export` */
  readonly path: readonly string[]
  readonly description: string
  readonly options: readonly CompletedOption[]
  readonly values: readonly Completed[]
  readonly commands: readonly CompletedCommand[]
}

const HELP: CompletedOption = {
  names: ['-h', '--help'],
  description: 'display help for command',
  value: undefined,
}

/** A command and all below it, each before its own. */
export function withAllBelow(command: CompletedCommand): readonly CompletedCommand[] {
  return [command, ...command.commands.flatMap(withAllBelow)]
}

/** A text as one word of a shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** A command of commander with its options, values and commands. */
export function describeCommand(command: Command, path: readonly string[] = []): CompletedCommand {
  return {
    path,
    description: command.description(),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionOf), HELP],
    values: command.registeredArguments.map(argumentOf),
    commands: command.commands.map((each) => describeCommand(each, [...path, each.name()])),
  }
}

function optionOf(option: Option): CompletedOption {
  const takes = option.required || option.optional
  const placeholder = /[<[]([^>\]]*)/.exec(option.flags)?.[1] ?? ''
  return {
    names: [option.short, option.long].flatMap((name) => name ?? []),
    description: option.description,
    value: takes
      ? {
          choices: option.argChoices ?? [],
          disk: diskOf(placeholder),
          variadic: option.variadic,
        }
      : undefined,
  }
}

function argumentOf(argument: Argument): Completed {
  return {
    choices: argument.argChoices ?? [],
    disk: diskOf(argument.name()),
    variadic: argument.variadic,
  }
}

/** By the word that stands for it in the help; where several folders go, files mostly do too. */
function diskOf(placeholder: string): Completed['disk'] {
  const word = placeholder.replace(/^.*=/, '')
  if (/^(folder|dir|directory)$/i.test(word)) return 'folder'
  return /^(file|path|folder)s?(\.{3})?$/i.test(word) ? 'file' : undefined
}
