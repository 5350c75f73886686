const { stdout, stderr } = process

function letGo(fault: NodeJS.ErrnoException): void {
  if (fault.code !== 'EPIPE') throw fault
}

/** From now on what is printed for a reader that is gone, as `head` is after its lines, is let go. */
export function outliveReaders(): void {
  for (const stream of [stdout, stderr]) stream.off('error', letGo).on('error', letGo)
}

/** Does some work that tells, at the first print for a reader of stdout who is gone, that he is. */
export async function whileRead<T>(gone: () => void, work: () => Promise<T>): Promise<T> {
  stdout.once('error', gone)
  try {
    return await work()
  } finally {
    stdout.off('error', gone)
  }
}
