import type { Command } from 'commander'
import { describeCommand } from './completed_command.ts'
import { bashCompletion } from './completion_bash.ts'
import { fishCompletion } from './completion_fish.ts'
import { zshCompletion } from './completion_zsh.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** The completion script of a shell, made from the commands that there are. */
export function completionScript(program: Command, shell: Shell): string {
  const command = describeCommand(program)
  switch (shell) {
    case 'bash':
      return bashCompletion(program.name(), command)
    case 'zsh':
      return zshCompletion(program.name(), command)
    case 'fish':
      return fishCompletion(program.name(), command)
  }
}
