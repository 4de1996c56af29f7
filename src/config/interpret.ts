import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { type Flaw, type Path, parseDuration } from '../policies/index.ts'
import type { Meaning, Setting } from './schema.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
const LARGEST_SIZE = 2 ** 30
/** The longest that a timer of Node can run. */
const LONGEST = 2 ** 31 - 1

interface Reading {
  /** the folder that a relative path at this place is relative to */
  readonly folder: (path: Path) => string
  readonly home: string | undefined
  readonly flaws: Flaw[]
}

/**
 * Turns values that fit the schema into what the program works with: absolute paths, ms, bytes.
 * What cannot be is added to `flaws`.
 */
export function interpret(setting: Setting, value: unknown, path: Path, reading: Reading): unknown {
  if (value === undefined) {
    return undefined
  }
  if (setting.properties) {
    const fields = value as Readonly<Record<string, unknown>>
    const entries = Object.entries(setting.properties).flatMap(([key, field]) => {
      const read = interpret(field, fields[key], [...path, key], reading)
      return read === undefined ? [] : [[key, read] as const]
    })
    return Object.freeze(Object.fromEntries(entries))
  }
  if (setting.items) {
    const { items } = setting
    const list = value as readonly unknown[]
    return Object.freeze(
      list.map((item, index) => interpret(items, item, [...path, index], reading)),
    )
  }
  if (setting.meaning === undefined) {
    return value
  }
  if (setting.meaning === 'path') {
    return resolve(reading.folder(path), expandHome(String(value), reading.home))
  }
  const [read, message, remedy] = NUMBERS[setting.meaning](value as string | number)
  if (message !== undefined) {
    reading.flaws.push({ path, message, remedy: remedy ?? setting.remedy ?? '' })
  }
  return read
}

function expandHome(path: string, home = homedir()): string {
  return path === '~' || path.startsWith('~/') ? home + path.slice(1) : path
}

type NumberRead = readonly [value: number, message?: string, remedy?: string]

const NUMBERS: Readonly<Record<Exclude<Meaning, 'path'>, (value: string | number) => NumberRead>> =
  {
    port: (value) => {
      const port = Number(value)
      const fits = Number.isInteger(port) && port >= 0 && port <= 65_535
      return fits ? [port] : [port, `${port} is no port`]
    },
    tags: (value) => {
      const count = Number(value)
      const fits = Number.isInteger(count) && count >= 1 && count <= 1_000_000
      return fits ? [count] : [count, `${count} is no number of tags that can be held`]
    },
    duration: readDuration,
    interval: (value) => {
      const read = readDuration(value)
      return read[0] >= 1_000 ? read : [read[0], 'is shorter than a second', 'Write 1s or more']
    },
    size: (value) => {
      const [, amount, unit = ''] = /^([\d.]+)(\D*)$/.exec(String(value)) ?? []
      const bytes = Math.floor(Number(amount) * (UNITS[unit] ?? Number.NaN))
      const fits = bytes >= 1024 && bytes <= LARGEST_SIZE
      return fits ? [bytes] : [bytes, `${value} is not between 1KiB and 1GiB`]
    },
  }

function readDuration(value: string | number): NumberRead {
  const ms = parseDuration(String(value)) ?? Number.POSITIVE_INFINITY
  return ms <= LONGEST ? [ms] : [ms, 'is longer than 24 days', 'Write a shorter time']
}
