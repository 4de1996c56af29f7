import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  quoted,
  withAllBelow,
} from './completed_command.ts'

/** For a file `_tagwarden` in a folder of `$fpath`, or `source <(tagwarden completion zsh)`. */
export function zshCompletion(name: string, program: CompletedCommand): string {
  const functions = withAllBelow(program)
    .toReversed()
    .map((each) => functionOf(name, each))
  return `#compdef ${name}
# zsh completion for ${name}: source <(${name} completion zsh)
${functions.join('')}if [ "$funcstack[1]" = '_${name}' ]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`
}

function functionOf(name: string, command: CompletedCommand): string {
  const { path, options, values, commands } = command
  const own = [`_${name}`, ...path].join('_').replaceAll('-', '_')
  const specs = options.flatMap(optionSpecs)
  if (commands.length === 0) {
    const rest = values.map(
      (value, at) => `${value.variadic ? '*' : at + 1}:${nameOf(value)}:${actionOf(value)}`,
    )
    return `${own}() {\n  _arguments -s ${[...specs, ...rest].map(quoted).join(' \\\n    ')}\n}\n`
  }
  const listed = commands.map(({ path: to, description }) =>
    quoted(`${to.at(-1)}:${description.replaceAll(':', '\\:')}`),
  )
  const cases = commands.map(
    ({ path: to }) => `    ${to.at(-1)}) ${[`_${name}`, ...to].join('_').replaceAll('-', '_')} ;;`,
  )
  return `${own}() {
  local context state line curcontext="$curcontext"
  typeset -A opt_args
  local -a commands=(
    ${listed.join('\n    ')}
  )
  _arguments -C ${specs.map(quoted).join(' \\\n    ')} '1: :->command' '*::: :->rest'
  case "$state" in
    command) _describe 'command' commands ;;
    rest)
    words=("$line[1]" "\${words[@]}")
    (( CURRENT += 1 ))
    case "$line[1]" in
${cases.join('\n')}
    esac ;;
  esac
}
`
}

/** `(-o --output)--output=[how to print]:value:(text json)`, for each name of an option */
function optionSpecs({ names, description, value }: CompletedOption): string[] {
  const text = description.replace(/[[\]:\\]/g, '\\$&')
  const before = value?.variadic ? '*' : names.length > 1 ? `(${names.join(' ')})` : ''
  const takes = value === undefined ? '' : `:${nameOf(value)}:${actionOf(value)}`
  return names.map((name) => {
    const form = value === undefined ? '' : name.startsWith('--') ? '=' : '+'
    return `${before}${name}${form}[${text}]${takes}`
  })
}

function nameOf({ disk }: Completed): string {
  return disk ?? 'value'
}

function actionOf({ choices, disk }: Completed): string {
  if (choices.length > 0) return `(${choices.join(' ')})`
  if (disk === undefined) return ' '
  return disk === 'folder' ? '_files -/' : '_files'
}
