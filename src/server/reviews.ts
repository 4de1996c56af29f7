import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { ReviewHandler } from '../admission/index.ts'
import type { App } from './app.ts'
import { JSON_TYPE } from './failure.ts'
import type { Gate, Refusal } from './gate.ts'
import type { Observe } from './metrics.ts'
import { type RawBody, readTimeout } from './raw_json.ts'

/** What the review routes tell the server, and what it tells them. */
export interface Traffic {
  /** requests whose head has arrived and whose answer has not ended */
  open: number
  draining: boolean
}

interface ReviewRoute {
  readonly path: string
  readonly handler: ReviewHandler
  readonly gate: Gate | undefined
  readonly observe: Observe
  readonly traffic: Traffic
  readonly clock: () => number
}

/** When the head of a request came: fastify's own elapsedTime is 0 without its logger. */
export const ARRIVED = 'arrived'

/** `POST path`: one review in, one answer out. */
export function addReviewRoute(app: App, route: ReviewRoute): void {
  const { path, handler, gate, observe, traffic, clock } = route
  app.post<{ Querystring: Record<string, unknown> }>(path, {
    onRequest: (request, reply, done) => {
      const response = reply.raw
      const arrived = performance.now()
      request.setDecorator(ARRIVED, arrived)
      traffic.open++
      // 'close' comes in every case, also when the client has gone.
      response.once('close', () => {
        traffic.open--
        const status = response.writableFinished ? response.statusCode : 'aborted'
        observe(status, (performance.now() - arrived) / 1_000)
      })
      const passage = gate?.pass(request.raw)
      const refusal = passage?.refusal
      if (passage?.last) reply.header('connection', 'close')
      if (refusal) refuse(request.raw, reply, refusal)
      else done()
    },
    handler: async (request, reply) => {
      const elapsed = performance.now() - request.getDecorator<number>(ARRIVED)
      const received = Math.round(clock() - elapsed)
      const raw = request.body as RawBody | undefined
      if (raw && 'denial' in raw) {
        return reply.header('content-type', JSON_TYPE).send(raw.denial)
      }
      const body = raw?.body ?? Buffer.alloc(0)
      const timeoutSeconds = readTimeout(request.query['timeout'])
      const traceparent = request.raw.headers['traceparent'] as string | undefined
      try {
        const answer = await handler(body, { timeoutSeconds, received, traceparent })
        reply.code(answer.status).header('content-type', JSON_TYPE)
        return reply.send(answer.body)
      } catch (thrown) {
        // fastify's error handler is for errors only: what else is thrown would pass it by.
        throw thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`)
      } finally {
        raw?.release()
      }
    },
  })
}

/** The body is let pass unread first: an answer to a client that still writes may get lost. */
function refuse(request: IncomingMessage, reply: FastifyReply, { status, body }: Refusal): void {
  reply.code(status).header('content-type', JSON_TYPE)
  request.once('end', () => reply.send(body))
  request.resume()
}
