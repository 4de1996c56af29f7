import {
  applyPatch,
  type createReviewHandlers,
  isObject,
  type JsonObject,
  own,
  type PatchOperation,
  type ReviewAnswer,
} from '../admission/index.ts'
import type { ReviewSubject } from './subjects.ts'

type Handlers = ReturnType<typeof createReviewHandlers>

const TIMEOUT_SECONDS = 30

/**
 * An AdmissionReview's answer, as the API server would end up with: the patch of the mutating
 * webhook, and the verdict of the validating one on the result.
 *
 * @returns JSON on one line; undefined for what is no AdmissionReview
 */
export async function answerReview(
  { review }: ReviewSubject,
  handlers: Handlers,
  clock: () => number,
): Promise<string | undefined> {
  const request = review && own(review, 'request')
  if (!review || !isObject(request)) return undefined
  const ask = async (hook: keyof Handlers, body: JsonObject) => {
    const call = { timeoutSeconds: TIMEOUT_SECONDS, received: clock() }
    return answerOf(await handlers[hook](Buffer.from(JSON.stringify(body)), call))
  }
  const { body, response: mutated } = await ask('mutate', review)
  const { patch } = mutated
  const object = own(request, 'object')
  const result =
    typeof patch === 'string' && isObject(object)
      ? { ...review, request: { ...request, object: applyPatch(object, decodePatch(patch)) } }
      : review
  const { response: verdict } = await ask('validate', result)
  const warnings = [mutated, verdict].flatMap(({ warnings = [] }) => warnings as string[])
  const notes = {
    ...(mutated['auditAnnotations'] as object),
    ...(verdict['auditAnnotations'] as object),
  }
  const { patchType } = mutated
  const response = {
    ...verdict,
    ...(patch !== undefined && { patchType, patch }),
    ...(warnings.length > 0 && { warnings }),
    ...(Object.keys(notes).length > 0 && { auditAnnotations: notes }),
  }
  return JSON.stringify({ ...body, response })
}

function answerOf({ body }: ReviewAnswer) {
  const answer = JSON.parse(body) as { readonly response: JsonObject }
  return { body: answer, response: answer.response }
}

function decodePatch(patch: string): readonly PatchOperation[] {
  return JSON.parse(Buffer.from(patch, 'base64').toString('utf8'))
}
