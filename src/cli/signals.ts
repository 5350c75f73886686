/** The exit code of a command that was asked to stop. */
export const INTERRUPTED = 130

/** Asks for a stop at the first SIGINT or SIGTERM; the second ends the process at once. */
export function watchSignals(notice: (text: string) => void): { requested: () => boolean; release: () => void } {
  let requested = false
  const onSignal = (): void => {
    if (requested) process.exit(INTERRUPTED)
    requested = true
    notice('Stopping after this update; once more to stop at once.')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    requested: () => requested,
    release: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
