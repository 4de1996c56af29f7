import type { App } from './app.ts'
import { JSON_TYPE } from './failure.ts'
import type { Traffic } from './reviews.ts'
import type { ReadinessCheck, ServerOptions } from './types.ts'

type ProbeOptions = Pick<ServerOptions, 'certificates' | 'ready' | 'metrics'> & {
  readonly traffic: Traffic
  readonly clock: () => number
}

/** `GET /healthz`, `GET /readyz`, `GET /metrics`. */
export function addProbes(app: App, options: ProbeOptions): void {
  app.get('/healthz', (_request, reply) => {
    reply.header('content-type', JSON_TYPE).send('{"healthy":true}')
  })

  app.get('/readyz', (_request, reply) => {
    const checks = readinessChecks(options)
    const ready = checks.every(({ problem }) => problem === undefined)
    reply
      .code(ready ? 200 : 503)
      .header('content-type', JSON_TYPE)
      .send(JSON.stringify({ ready, checks: checks.map(describeCheck) }))
  })

  app.get('/metrics', async (_request, reply) => {
    const text = await options.metrics.metrics()
    return reply.header('content-type', options.metrics.contentType).send(text)
  })
}

function readinessChecks({ certificates, ready, traffic, clock }: ProbeOptions): ReadinessCheck[] {
  const certificate = certificates.current()
  const end = new Date(certificate.notAfter).toISOString()
  return [
    ...ready(),
    {
      name: 'certificate',
      problem: certificate.valid(clock())
        ? undefined
        : `the serving certificate is not valid now; it ends ${end}`,
    },
    { name: 'running', problem: traffic.draining ? 'the server is stopping' : undefined },
  ]
}

function describeCheck({ name, problem }: ReadinessCheck) {
  return problem === undefined ? { name, ready: true } : { name, ready: false, problem }
}
