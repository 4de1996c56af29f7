import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, type TagwardenError } from '../../src/errors.ts'
import { openPolicyFolder, type PolicyFolderOptions } from '../../src/sources/index.ts'

/** A policy, with a name and, to be told apart, a range. */
export function policy(name: string, range = '1.x'): string {
  return `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: ${name} }
spec:
  images: [ghcr.io/acme/${name}]
  order: { semver: { range: "${range}" } }
`
}

/** What a folder told, in order, and a way to wait for the next thing. */
export async function follow(options: PolicyFolderOptions) {
  const told: string[] = []
  let wake: () => void = () => {}
  const tell = (line: string) => {
    told.push(line)
    wake()
  }
  const folder = await openPolicyFolder({
    settle: 20,
    ...options,
    onChange: (set) => tell(`in force: ${set.policies.map(({ name }) => name).join(' ')}`),
    onProblems: (problems: readonly TagwardenError[]) =>
      tell(`problems: ${problems.map((problem) => describeError(problem)).join(' | ')}`),
  })
  return {
    folder,
    told,
    names: () => folder.current().policies.map(({ name }) => name),
    /** Resolves once a line that fits has been told since the last call. */
    async until(says: RegExp): Promise<string> {
      for (;;) {
        const line = told.find((each) => says.test(each))
        if (line !== undefined) {
          told.length = 0
          return line
        }
        // the folder itself does not keep a process alive
        const alive = setInterval(() => {}, 1000)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        clearInterval(alive)
      }
    },
  }
}

/** A ConfigMap volume as the kubelet writes it: data behind one link that is swapped at once. */
export function writeConfigMap(
  folder: string,
  version: string,
  files: Record<string, string>,
): void {
  const data = `..${version}`
  mkdirSync(join(folder, data), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, data, name), text)
  symlinkSync(data, join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  for (const name of Object.keys(files)) {
    rmSync(join(folder, name), { force: true })
    symlinkSync(join('..data', name), join(folder, name))
  }
}
