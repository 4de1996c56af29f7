/** One value of the chart: JSON Schema, with a description and a default. */
export interface Value {
  readonly type?: string | readonly string[]
  /** one sentence, Markdown; ends without a full stop */
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Value>>
  readonly additionalProperties?: boolean | Value
  readonly items?: Value
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  /** what Helm itself puts among the values: neither in values.yaml nor in the table */
  readonly hidden?: boolean
  /** null may stand in its place: then somebody else decides */
  readonly optional?: boolean
}

/**
 * A group of values, each with a default of its own; an unknown one is refused, and so is null in
 * the place of one that nothing can be made without: a group, a number, a choice.
 */
export function group(description: string, properties: Readonly<Record<string, Value>>): Value {
  const required = Object.keys(properties).filter((name) => isNeeded(properties[name] as Value))
  return {
    ...{ type: 'object', description, properties, additionalProperties: false },
    ...(required.length > 0 && { required }),
  }
}

function isNeeded({ properties, type, default: fallback, optional }: Value): boolean {
  if (optional) return false
  const isScalar = typeof type === 'string' && !['object', 'array'].includes(type)
  return properties !== undefined || (isScalar && fallback !== undefined && fallback !== '')
}

export function text(description: string, fallback = '', rest: Value = {}): Value {
  return { type: 'string', description, default: fallback, ...rest }
}

export function whole(
  description: string,
  fallback: number,
  minimum: number,
  maximum?: number,
): Value {
  const most = maximum === undefined ? {} : { maximum }
  return { type: 'integer', description, default: fallback, minimum, ...most }
}

export function flag(description: string, fallback: boolean): Value {
  return { type: 'boolean', description, default: fallback }
}

/** The first one is the default. */
export function choice(description: string, ...names: [string, ...string[]]): Value {
  return { type: 'string', enum: names, default: names[0], description }
}

export function list(description: string, items: Value, fallback: readonly unknown[] = []): Value {
  return { type: 'array', description, items, default: fallback }
}

/** Labels or annotations. */
export function strings(
  description: string,
  fallback: Readonly<Record<string, string>> = {},
): Value {
  return {
    type: 'object',
    description,
    additionalProperties: { type: 'string' },
    default: fallback,
  }
}

/** A part of an object of Kubernetes; the API server knows its fields. */
export function part(description: string, fallback: object = {}): Value {
  return { type: 'object', description, default: fallback }
}

/** A DNS label, such as a namespace; empty where it is not given. */
export const LABEL = '^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$'
/** A DNS name, such as a Secret's; empty where it is not given. */
export const NAME = '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$'

export const OBJECT: Value = { type: 'object' }
export const PORT: Value = { type: 'integer', minimum: 1, maximum: 65_535 }
