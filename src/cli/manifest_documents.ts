import { type Position, TagwardenError } from '../errors.ts'
import { type ObjectDocument, readDocuments } from '../policies/index.ts'
import { itemValue, type openFile } from '../review/index.ts'

/** The objects of a text, and what is wrong with it. */
export interface ReadText {
  readonly documents: readonly ObjectDocument[]
  readonly problems: readonly TagwardenError[]
  /** it holds what is no YAML before it is filled in */
  readonly isTemplate: boolean
}

const TEMPLATE = '{{'

/**
 * Reads the objects of a text document by document, and a long List item by item, so that its length
 * does not count.
 *
 * @param file for positions
 */
export async function readObjects(
  source: ReturnType<typeof openFile>,
  file: string,
): Promise<ReadText> {
  const documents: ObjectDocument[] = []
  const problems: TagwardenError[] = []
  let isTemplate = false
  try {
    for await (const some of source.documents()) {
      for (const { text, line, part } of some) {
        if (part?.isItem === false) continue
        const read = readDocuments(text, file)
        for (const each of read.documents) {
          const value = part ? itemValue(each.value, part.type) : each.value
          documents.push({ ...each, value, position: below(each.position, line) })
        }
        const template = read.problems.length > 0 && text.includes(TEMPLATE)
        isTemplate ||= template
        if (!template) problems.push(...read.problems.map((each) => moved(each, line)))
      }
    }
  } catch (error) {
    if (!(error instanceof TagwardenError)) throw error
    const { code, message, remedy, cause } = error
    problems.push(new TagwardenError(code, message, { remedy, position: { file }, cause }))
  }
  return { documents, problems, isTemplate }
}

function moved({ code, message, remedy, position, cause }: TagwardenError, first: number) {
  const at = position && below(position, first)
  return new TagwardenError(code, message, { remedy, position: at, cause })
}

/** A position of a document, in its file. */
function below(position: Position, first: number): Position {
  const { line } = position
  return line === undefined ? position : { ...position, line: line + first - 1 }
}
