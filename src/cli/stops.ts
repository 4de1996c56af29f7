/** What was started, to be undone. */
export interface Stops {
  /** Remembers how to undo a step. */
  add(stop: () => unknown): void
  /** Undoes everything, the last first; what fails does not keep the others. */
  all(): Promise<void>
}

export function createStops(): Stops {
  const stops: (() => unknown)[] = []
  return {
    add: (stop) => void stops.push(stop),
    all: async () => {
      const failures: unknown[] = []
      for (const stop of stops.splice(0).reverse()) {
        try {
          await stop()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw new AggregateError(failures)
    },
  }
}
