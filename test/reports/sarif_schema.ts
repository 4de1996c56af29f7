import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject } from 'ajv'

const FILE = new URL('schemas/sarif-2.1.0.json', import.meta.url)
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/
/** RFC 3986: what may stand in a reference; a colon in its first segment would be a scheme's */
const REFERENCE =
  /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/[\w.-]*)?(?:[\w\-.~!$&'()*+,;=@/]|%[0-9a-f]{2})*(?:\?\S*)?(?:#\S*)?$/i

// the schema is of draft 4, which ajv reads but for the name of its identifier
const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(FILE, 'utf8'))
const ajv = new Ajv({
  strict: false,
  unicodeRegExp: false,
  allErrors: true,
  formats: {
    'date-time': TIME,
    uri: (text: string) => URL.canParse(text),
    'uri-reference': REFERENCE,
  },
})
const valid = ajv.compile(schema)

/** What the official schema of SARIF 2.1.0 has to say against a log. */
export function sarifFaults(log: unknown): readonly ErrorObject[] {
  return valid(log) ? [] : (valid.errors ?? [])
}
