import { type Completed, type CompletedCommand, quoted, withAllBelow } from './completed_command.ts'

/** For `source <(tagwarden completion bash)`; bash 3.2 and newer. */
export function bashCompletion(name: string, program: CompletedCommand): string {
  const all = withAllBelow(program)
  const paths = all.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `# bash completion for ${name}: source <(${name} completion bash)
_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path='' option='' values=0 at word
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in
      '=') continue ;;
      -*) option="$word" ;;
      *)
        case "\${path:+$path }$word" in
          ${paths.join(' | ')})
            path="\${path:+$path }$word" option='' ;;
          *)
            case "$path $option" in
${optionPatterns(all, ({ variadic }) => variadic, '                ', ';;')}
${optionPatterns(all, ({ variadic }) => !variadic, '                ', "option='' ;;")}
              *) option='' values=$((values + 1)) ;;
            esac ;;
        esac ;;
    esac
  done
  [ "$cur" = '=' ] && cur=''
  case "$cur" in
    -*) ;;
    *)
      case "$path $option" in
${all.flatMap((each) => optionValues(name, each)).join('\n')}
      esac ;;
  esac
  case "$cur" in
    -*)
      case "$path" in
${all.map(({ path, options }) => `        ${quoted(path.join(' '))}) _${name}_words ${quoted(options.flatMap(({ names }) => names).join(' '))} ;;`).join('\n')}
      esac ;;
    *)
      case "$path" in
${all.map((command) => `        ${quoted(command.path.join(' '))}) ${ownValues(name, command)} ;;`).join('\n')}
      esac ;;
  esac
}
_${name}_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
_${name}_disk() {
  local each
  while IFS= read -r each; do COMPREPLY+=("$each"); done < <(compgen "$1" -- "$cur")
  compopt -o filenames 2>/dev/null
}
complete -F _${name} ${name}
`
}

type Wanted = (value: Completed) => boolean

function optionPatterns(
  commands: readonly CompletedCommand[],
  wanted: Wanted,
  indent: string,
  then: string,
): string {
  const patterns = commands.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== undefined && wanted(value))
      .flatMap(({ names }) => names.map((each) => quoted(`${path.join(' ')} ${each}`))),
  )
  return patterns.length === 0 ? '' : `${indent}${patterns.join(' | ')}) ${then}`
}

function optionValues(name: string, { path, options }: CompletedCommand): string[] {
  return options.flatMap(({ names, value }) => {
    if (value === undefined) return []
    const patterns = names.map((each) => quoted(`${path.join(' ')} ${each}`)).join(' | ')
    return [`        ${patterns}) ${completed(name, value)}; return ;;`]
  })
}

function ownValues(name: string, { commands, values }: CompletedCommand): string {
  if (commands.length > 0) {
    return `_${name}_words ${quoted(commands.map(({ path }) => path.at(-1)).join(' '))}`
  }
  const last = values.at(-1)
  const cases = values.map((value, at) => {
    const pattern = value === last && value.variadic ? '*' : String(at)
    return `${pattern}) ${completed(name, value)} ;;`
  })
  return cases.length === 0 ? ':' : `case $values in ${cases.join(' ')} esac`
}

function completed(name: string, { choices, disk }: Completed): string {
  if (choices.length > 0) return `_${name}_words ${quoted(choices.join(' '))}`
  if (disk === undefined) return ':'
  return `_${name}_disk ${disk === 'folder' ? '-d' : '-f'}`
}
