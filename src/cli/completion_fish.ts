import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  quoted,
  withAllBelow,
} from './completed_command.ts'

/** For `tagwarden completion fish | source`. */
export function fishCompletion(name: string, program: CompletedCommand): string {
  const lines = withAllBelow(program).flatMap((each) => linesOf(name, each))
  return `# fish completion for ${name}: ${name} completion fish | source
complete -c ${name} -f
${lines.join('\n')}
`
}

function linesOf(name: string, command: CompletedCommand): string[] {
  const condition = quoted(conditionOf(command))
  const begin = `complete -c ${name} -n ${condition}`
  return [
    ...command.commands.map(
      ({ path, description }) => `${begin} -a ${path.at(-1)} -d ${fishQuoted(description)}`,
    ),
    ...command.options.map((option) => `${begin} ${optionOf(option)}`),
    ...command.values.flatMap((value) => {
      const takes = takesOf(value)
      return takes === '' ? [] : [`${begin} ${takes}`]
    }),
  ]
}

function conditionOf({ path, commands }: CompletedCommand): string {
  const own = path.map((word) => `__fish_seen_subcommand_from ${word}`)
  const below = commands.map((each) => each.path.at(-1)).join(' ')
  const none = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below}`]
  return [...own, ...none].join('; and ')
}

function optionOf({ names, description, value }: CompletedOption): string {
  const flags = names.map((each) =>
    each.startsWith('--') ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`,
  )
  const takes = value === undefined ? '' : ` ${valueOption(value)}`
  return `${flags.join(' ')}${takes} -d ${fishQuoted(description)}`
}

function valueOption(value: Completed): string {
  return value.disk === 'file' ? '-r -F' : `-x ${takesOf(value)}`.trimEnd()
}

function takesOf({ choices, disk }: Completed): string {
  if (choices.length > 0) return `-a ${quoted(choices.join(' '))}`
  if (disk === 'folder') return "-a '(__fish_complete_directories)'"
  return disk === 'file' ? '-F' : ''
}

/** In single quotes of fish only the quote and the backslash have a meaning. */
function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
