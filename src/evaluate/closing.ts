import { UserError } from '../errors.ts'

/** Work that may be asked for until it is closed. */
export interface Closing {
  /** Does some work; refused once it is closed. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Waits for what is pending, then closes; once, however often it is asked. */
  close(): Promise<void>
}

/** `what` is its name in errors, such as `predictor`. */
export function closing(what: string, close: () => Promise<void>): Closing {
  const pending = new Set<Promise<unknown>>()
  let closed: Promise<void> | null = null
  return {
    async during(work) {
      if (closed) throw new UserError(`This ${what} is closed; open another.`)
      const done = work()
      pending.add(done)
      try {
        return await done
      } finally {
        pending.delete(done)
      }
    },
    close: () => (closed ??= Promise.allSettled(pending).then(close)),
  }
}
