import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that passes everything on a moment later. */
export interface SlowLink {
  readonly port: number
  /** From now on so many ms later, one way. */
  delay(ms: number): void
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1, for a server on another. */
export async function startSlowLink(target: number): Promise<SlowLink> {
  const sockets = new Set<Socket>()
  let ms = 0

  function passOn(from: Socket, to: Socket): void {
    let free = 0
    const later = (work: () => void) => {
      // What came first goes first, also when the delay became shorter meanwhile.
      free = Math.max(free, performance.now() + ms)
      const wait = free - performance.now()
      if (wait <= 0) work()
      else setTimeout(work, wait).unref()
    }
    from.on('data', (chunk) => later(() => to.writable && to.write(chunk)))
    from.on('end', () => later(() => to.end()))
    from.on('close', () => later(() => to.destroy()))
    from.on('error', () => {})
    sockets.add(from)
    from.once('close', () => sockets.delete(from))
  }

  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    near.setNoDelay(true)
    far.setNoDelay(true)
    passOn(near, far)
    passOn(far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    delay(value) {
      ms = value
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
