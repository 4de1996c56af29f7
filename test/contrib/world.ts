import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { Test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'

export const ROOT = join(import.meta.dirname, '../..')

const POD = (name: string, image: string) => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop }
spec: { containers: [{ name: app, image: "${image}" }] }
`

/** Manifests of which one is denied, by a policy that asks no registry. */
const FILES = {
  policies: {
    'all.yaml': `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: no-edge }
spec:
  images: ["**"]
  tags: { ignore: ['^edge$'] }
  order: { alphabetical: {} }
  action: Verify
  whenRegistryFails: Allow
`,
  },
  good: { 'a b.yaml': POD('good', 'registry.invalid/acme/web:v1') },
  bad: { 'bad.yaml': POD('bad', 'registry.invalid/acme/web:edge') },
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A folder with manifests, and `tagwarden` and `node` as commands. */
export function world(t: Test, more: object = {}) {
  const cwd = t.testdir({ ...FILES, ...more })
  const bin = join(cwd, '.bin')
  mkdirSync(bin)
  for (const name of ['tagwarden', 'kubectl-tagwarden']) {
    symlinkSync(join(ROOT, 'bin/tagwarden.js'), join(bin, name))
  }
  const own = Object.entries(process.env).filter(([name]) => !/^(?:TAGWARDEN_|GITHUB_)/.test(name))
  const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = { ...Object.fromEntries(own), PATH: path, HOME: cwd }
  return {
    cwd,
    bin,
    run(
      command: string,
      args: readonly string[],
      extra: Readonly<Record<string, string>> = {},
    ): Promise<Ran> {
      return new Promise((resolve) => {
        execFile(command, args, { cwd, env: { ...env, ...extra } }, (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code), out, err })
        })
      })
    },
    read: (name: string) => readFileSync(join(cwd, name), 'utf8'),
    write: (name: string, text: string) => writeFileSync(join(cwd, name), text),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: files of many shapes, which the tests look into
export type Parsed = any

export function parsed(path: string): Parsed {
  return parse(readFileSync(join(ROOT, path), 'utf8'))
}

export function parsedAll(path: string): Parsed[] {
  return parseAllDocuments(readFileSync(join(ROOT, path), 'utf8')).map((each) => each.toJS())
}
