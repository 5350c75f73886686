import type { Progress } from '../evaluate/progress.ts'

/** Does some work while a terminal shows how far it has come; off a terminal, or with `quiet`, nothing is shown. */
export async function showing<Result>(quiet: boolean, work: (progress: Progress | undefined) => Promise<Result>): Promise<Result> {
  const { stderr } = process
  if (quiet || !stderr.isTTY) return work(undefined)
  const { openScreen, progressText } = await import('../track/screen.ts')
  const screen = openScreen(stderr)
  try {
    return await work((done, of, things) => screen.show(progressText(done, of, things, stderr)))
  } finally {
    screen.close(false)
  }
}
