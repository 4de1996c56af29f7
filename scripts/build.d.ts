/** Builds dist where src is newer; false: there is nothing to run but src. */
export function build(options?: { root?: string; say?: (line: string) => void }): boolean
