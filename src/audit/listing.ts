/**
 * Asks for the next page while the one before is looked at.
 *
 * @example
 *   for await (const page of ahead(cluster.pages(DEPLOYMENTS))) look(page)
 */
export async function* ahead<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    for (;;) {
      const { done, value } = await next
      if (done) return
      next = iterator.next()
      // Its failure is told when its turn comes.
      next.catch(() => {})
      yield value
    }
  } finally {
    void iterator.return?.()?.catch(() => {})
  }
}
