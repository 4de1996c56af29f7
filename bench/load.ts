import { Agent, request } from 'node:https'

/** What came of a load. Times in ms. */
export interface LoadResult {
  readonly requests: number
  readonly failures: number
  readonly median: number
  readonly p99: number
  readonly slowest: number
  /** of the request that ended last */
  readonly last: number
  readonly seconds: number
}

/** Where and what to post. */
export interface Load {
  readonly url: string
  readonly ca: string
  /** the body of the n-th request */
  readonly body: (index: number) => Buffer
  readonly connections: number
  /** how many requests come first and are not counted: handshakes, cold code */
  readonly warmUp?: number
  /** stops after this many requests … */
  readonly count?: number
  /** … or after this time */
  readonly seconds?: number
}

/** Posts reviews over keep-alive connections, each waiting for its answer before the next. */
export async function load(options: Load): Promise<LoadResult> {
  const {
    connections,
    warmUp = 0,
    count = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
  } = options
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca: options.ca })
  const latencies: number[] = []
  let failures = 0
  let next = 0
  const started = performance.now()
  const worker = async () => {
    while (next < count && performance.now() - started < seconds * 1000) {
      const index = next++
      const at = performance.now()
      const status = await post(options, agent, options.body(index)).catch(() => 0)
      if (index >= warmUp) latencies.push(performance.now() - at)
      if (status !== 200) failures += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  const elapsed = (performance.now() - started) / 1000
  agent.destroy()
  const last = latencies.at(-1) ?? 0
  latencies.sort((a, b) => a - b)
  const at = (part: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0
  return {
    requests: latencies.length,
    failures,
    median: at(0.5),
    p99: at(0.99),
    slowest: at(1),
    last,
    seconds: elapsed,
  }
}

function post({ url, ca }: Load, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        agent,
        ca,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length },
      },
      (answer) => {
        answer.on('data', () => {})
        answer.on('end', () => resolve(answer.statusCode ?? 0))
        answer.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}
