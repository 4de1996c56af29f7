import { parseDuration } from './duration.ts'
import { type Flaw, type Path, quote } from './flaw.ts'
import { nearestName } from './spelling.ts'
import { timeFlaw } from './time.ts'

/** The JSON Schema that `npm run generate` writes: these keywords and no others. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false | Schema
  readonly items?: Schema
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  /** what else a text must be */
  readonly format?: 'date-time'
  /** bounds of a duration, such as `1s` */
  readonly least?: string
  readonly most?: string
  readonly default?: unknown
  /** what to do about a wrong value */
  readonly remedy?: string
  readonly examples?: readonly string[]
}

type Fields = Record<string, unknown>

/**
 * Every flaw of a value under a schema. Defaults are filled into the value, and a null field is
 * taken out first, as the API server does with custom resources.
 */
export function validate(schema: Schema, value: unknown, path: Path = []): readonly Flaw[] {
  const flaws: Flaw[] = []
  visit(schema, value, path, flaws)
  return flaws
}

function visit(schema: Schema, value: unknown, path: Path, flaws: Flaw[]): void {
  const actual = typeOf(value)
  if (schema.type !== undefined && !isOfType(schema.type, actual, value)) {
    flaws.push({ path, ...wrongType(schema, value, actual) })
  } else if (actual === 'object') {
    visitFields(schema, value as Fields, path, flaws)
  } else if (actual === 'array') {
    const list = value as readonly unknown[]
    flaws.push(...countFlaws(schema, list.length, path))
    if (list.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return
    if (schema.items)
      for (const [i, item] of list.entries()) visit(schema.items, item, [...path, i], flaws)
  } else if (actual === 'string') {
    flaws.push(...textFlaws(schema, value as string, path))
  } else if (actual === 'number') {
    flaws.push(...numberFlaws(schema, value as number, path))
  }
}

function isOfType(type: NonNullable<Schema['type']>, actual: string, value: unknown): boolean {
  return [type]
    .flat()
    .some((wanted) => wanted === actual || (wanted === 'integer' && Number.isSafeInteger(value)))
}

function visitFields(schema: Schema, value: Fields, path: Path, flaws: Flaw[]): void {
  const known = schema.properties ?? {}
  for (const key of Object.keys(value)) {
    if (value[key] === null || value[key] === undefined) delete value[key]
    else if (Object.hasOwn(known, key)) continue
    else if (schema.additionalProperties === false) flaws.push(unknownField(path, key, known))
    else if (schema.additionalProperties) {
      visit(schema.additionalProperties, value[key], [...path, key], flaws)
    }
  }
  for (const [key, field] of Object.entries(known)) {
    if (!Object.hasOwn(value, key)) {
      if (field.default === undefined) {
        if (schema.required?.includes(key)) flaws.push(missingField(path, key, field))
        continue
      }
      value[key] = structuredClone(field.default)
    }
    visit(field, value[key], [...path, key], flaws)
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const SPOKEN: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'empty',
}

function wrongType(schema: Schema, value: unknown, actual: string) {
  const wanted = [schema.type ?? []].flat()
  const spoken = wanted.map((type) => SPOKEN[type] ?? type).join(' or ')
  const fraction = actual === 'number' && wanted.includes('integer')
  return {
    message: `must be ${spoken}, not ${fraction ? String(value) : (SPOKEN[actual] ?? actual)}`,
    remedy: schema.remedy ?? correctType(wanted, value),
  }
}

function correctType(wanted: readonly string[], value: unknown): string {
  const scalar = typeof value !== 'object' || value === null
  if (wanted.includes('string') && scalar) return `Put it in quotes: ${quote(String(value))}`
  if (wanted.includes('array') && scalar) return `Write a list: [${quote(String(value))}]`
  if (wanted.includes('object'))
    return 'Write fields under it, each on its own line as "name: value"'
  if (wanted.includes('number')) return 'Write a number, without quotes'
  if (wanted.includes('integer')) return 'Write a whole number, without quotes'
  return wanted.includes('boolean') ? 'Write true or false, without quotes' : 'Write a single value'
}

function unknownField(path: Path, key: string, known: Readonly<Record<string, Schema>>): Flaw {
  const near = nearestName(key, Object.keys(known))
  const parent = path.findLast((segment) => typeof segment === 'string')
  return {
    path: [...path, key],
    key: true,
    message: `is not a field${parent === undefined ? '' : ` of ${parent}`}`,
    remedy:
      near === undefined
        ? `The fields are ${Object.keys(known).join(', ')}`
        : `Write ${near} instead`,
  }
}

function missingField(path: Path, key: string, field: Schema): Flaw {
  const example = field.examples?.[0]
  const written = field.type === 'array' ? `["${example}"]` : `"${example}"`
  return {
    path: [...path, key],
    message: 'is missing',
    remedy:
      example === undefined ? (field.remedy ?? `Add ${key}`) : `Add it, such as ${key}: ${written}`,
  }
}

function countFlaws(schema: Schema, count: number, path: Path): readonly Flaw[] {
  if (count < (schema.minItems ?? 0)) {
    return [{ path, message: 'is empty', remedy: schema.remedy ?? 'Give at least one' }]
  }
  if (count <= (schema.maxItems ?? count)) return []
  const message = `has ${count} entries, more than the ${schema.maxItems} that are allowed`
  return [{ path, message, remedy: 'Split it into several policies' }]
}

function numberFlaws(schema: Schema, value: number, path: Path): readonly Flaw[] {
  const { minimum = -Infinity, maximum = Infinity } = schema
  // what is no number at all is for whoever knows what it means
  if (!(value < minimum || value > maximum)) return []
  const message = `${value} is not from ${minimum} to ${maximum}`
  return [{ path, message, remedy: schema.remedy ?? 'Write a number in between' }]
}

const compiled = new Map<string, RegExp>()

function textFlaws(schema: Schema, text: string, path: Path): readonly Flaw[] {
  const remedy = schema.remedy
  if (text.length < (schema.minLength ?? 0)) {
    return [
      { path, message: 'is empty', remedy: remedy ?? 'Give it a value or leave the field out' },
    ]
  }
  if (text.length > (schema.maxLength ?? text.length)) {
    const message = `has ${text.length} characters, more than the ${schema.maxLength} that are allowed`
    return [{ path, message, remedy: remedy ?? 'Shorten it' }]
  }
  if (schema.enum && !schema.enum.includes(text)) {
    const near = nearestName(text, schema.enum)
    const message = `${quote(text)} is not one of ${schema.enum.join(', ')}`
    return [{ path, message, remedy: near ? `Write ${near} instead` : `Use one of these` }]
  }
  if (schema.pattern !== undefined) {
    const pattern = compiled.get(schema.pattern) ?? new RegExp(schema.pattern, 'u')
    compiled.set(schema.pattern, pattern)
    if (!pattern.test(text)) {
      return [
        {
          path,
          message: `${quote(text)} is not valid`,
          remedy: remedy ?? `It must match ${schema.pattern}`,
        },
      ]
    }
  }
  return [...boundFlaws(schema, text, path), ...formatFlaws(schema, text, path)]
}

/** The bounds of a duration, in the words of the CRD. */
function boundFlaws({ least, most, remedy = '' }: Schema, text: string, path: Path): Flaw[] {
  if (least === undefined || most === undefined) return []
  const given = parseDuration(text)
  const fits =
    given !== undefined && given >= parseDuration(least)! && given <= parseDuration(most)!
  return fits ? [] : [{ path, message: `must be from ${least} to ${most}`, remedy }]
}

function formatFlaws({ format, remedy = '' }: Schema, text: string, path: Path): Flaw[] {
  const message = format === 'date-time' ? timeFlaw(text) : undefined
  return message === undefined ? [] : [{ path, message, remedy }]
}
