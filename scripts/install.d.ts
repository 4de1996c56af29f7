export class InstallError extends Error {}
export function install(options?: {
  root?: string
  tests?: boolean
  npm?: string[]
  say?: (line: string) => void
}): Promise<void>
export function isInstalled(root: string): boolean
export function lockFile(root: string): string
export function buildTestAssets(options?: {
  root?: string
  env?: NodeJS.ProcessEnv
  say?: (line: string) => void
}): Promise<boolean>
