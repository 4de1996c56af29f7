import { entriesOf, runGit } from './git_command.ts'

/**
 * What Git follows in a folder although a `.gitignore` fits it, as after `git add --force`: to Git it
 * is not ignored. Nothing where there is no repository, or no Git.
 *
 * @returns paths below the folder
 */
export async function trackedAlthoughIgnored(folder: string): Promise<readonly string[]> {
  const args = ['ls-files', '-z', '--cached', '--ignored', '--exclude-standard']
  return entriesOf(await runGit(folder, args).catch(() => ''))
}
