import type { Progress } from '../evaluate/progress.ts'
import type { RunEvent, Sink } from '../train/events.ts'
import { epochText, evalLine, ranksLine, runLine } from './lines.ts'
import { type MetricText, metricTextOf, type NamedTask } from './metric-text.ts'
import { count, duration, metric } from './numbers.ts'
import { openPace, type Stride } from './pace.ts'
import { bar, openScreen, progressText } from './screen.ts'

/** A sink that writes for a person. */
export type TerminalSink = Sink & {
  /** Writes a line that stays. */
  note(text: string): void
  /** Shows how far an evaluation has come; on a terminal alone. */
  readonly evaluating: Progress
  /** Ends the live part; more than once does no harm. */
  close(): void
}

interface StepFields extends Stride {
  readonly step: number
  readonly epoch: number
}

const REDRAW_MS = 50
/** Off a terminal: lines in a whole run, and the steps between them where its length is not known. */
const LINES = 10
const STEPS_A_LINE = 100

/**
 * Shows a run to a person: what is trained, evaluations and warnings as lines, and on a terminal the progress below them;
 * in a log file a line for each tenth of the run, without control codes. `totalSteps` is for a run that is gone on with.
 */
export function terminalSink(stream: NodeJS.WriteStream, totalSteps?: number): TerminalSink {
  const screen = openScreen(stream)
  const pace = openPace()
  let total = totalSteps ?? null
  let drawn = Number.NEGATIVE_INFINITY
  let ranksShown = false
  let text: MetricText = metric

  const figures = (step: number): string => {
    const left = total === null ? [] : [`${duration((total - step) * pace.secondsPerStep)} left`]
    return [`loss ${metric('loss', pace.loss)}`, `${count(pace.tokensPerSecond)} tokens/s`, ...left].join('  ')
  }
  const isTenth = (step: number): boolean =>
    total === null ? step % STEPS_A_LINE === 0 : Math.floor((step * LINES) / total) > Math.floor(((step - 1) * LINES) / total)

  const onStep = ({ step, epoch, loss, tokens, ms }: StepFields): void => {
    pace.add({ loss, tokens, ms })
    const place = `${total === null ? count(step) : `${count(step)}/${count(total)}`}  ${epochText(epoch)}`
    if (!screen.live) {
      if (isTenth(step)) screen.line(`step ${place}  ${figures(step)}`)
      return
    }
    const now = performance.now()
    if (now - drawn < REDRAW_MS && step !== total) return
    drawn = now
    const progress = total === null ? '' : `${bar(step / total, stream.columns ?? 80)}  `
    screen.show(`${progress}${place}\n${figures(step)}`)
  }

  const sink = (event: RunEvent): void => {
    if (event.event === 'step') onStep(event as unknown as StepFields)
    else if (event.event === 'run') {
      total = event.totalSteps as number
      text = metricTextOf(event.task as NamedTask)
      screen.line(runLine(event))
    } else if (event.event === 'eval') screen.line(evalLine(event, text))
    else if (event.event === 'warning') screen.line(`warning: ${event.message}`)
    else if (event.event === 'ranks' && event.final && !ranksShown) {
      ranksShown = true
      screen.line(ranksLine(event))
    } else if (event.event === 'done') screen.close(false)
  }
  const evaluating: Progress = (done, of, things) => screen.show(`evaluating  ${progressText(done, of, things, stream)}`)
  return Object.assign(sink, { note: screen.line, evaluating, close: () => screen.close(true) })
}
