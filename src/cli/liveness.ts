import { request } from 'node:https'
import { text } from 'node:stream/consumers'

const TIME_LIMIT = 2_000

/** Whether a Tagwarden answers where a webhook's URL points to. Never rejects. */
export async function isAlive(hook: string): Promise<boolean> {
  try {
    return (await body(new URL('healthz', hook))) === '{"healthy":true}'
  } catch {
    return false
  }
}

function body(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    // Nothing secret goes there, and its authority may be one that nobody here knows.
    const options = { rejectUnauthorized: false, signal: AbortSignal.timeout(TIME_LIMIT) }
    const call = request(url, options, (answer) => text(answer).then(resolve, reject))
    call.on('error', reject)
    call.end()
  })
}
