/** Where a request stands in a distributed trace. */
export interface TraceContext {
  /** 32 lower-case hex digits */
  readonly traceId: string
  /** of the caller: 16 lower-case hex digits */
  readonly spanId: string
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/
/** The only version with a fixed length; later ones may go on. */
const FIRST_VERSION = '00'
const INVALID_VERSION = 'ff'
const LONGEST = 512

/**
 * Reads a `traceparent` header, which the API server sends when its tracing is on. What is wrong
 * counts as not sent. https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length > LONGEST) return undefined
  const [, version, traceId = '', spanId = '', more] = TRACEPARENT.exec(header) ?? []
  if (version === undefined || version === INVALID_VERSION) return undefined
  if (version === FIRST_VERSION && more !== undefined) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId }
}
