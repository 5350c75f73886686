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
/** Lines in a whole run, off a terminal. */
const LINES = 10

/**
 * Shows a run to a person: what is trained, evaluations and warnings as lines, and on a terminal the progress below them;
 * in a log file a line for each tenth of the run, without control codes. The first event is the run's.
 */
export function terminalSink(stream: NodeJS.WriteStream): TerminalSink {
  const screen = openScreen(stream)
  const pace = openPace()
  let total = 0
  let drawn = Number.NEGATIVE_INFINITY
  let ranksShown = false
  let text: MetricText = metric

  const figures = (step: number): string => {
    const left = `${duration((total - step) * pace.secondsPerStep)} left`
    return [`loss ${metric('loss', pace.loss)}`, `${count(pace.tokensPerSecond)} tokens/s`, left].join('  ')
  }
  const isTenth = (step: number): boolean => Math.floor((step * LINES) / total) > Math.floor(((step - 1) * LINES) / total)

  const onStep = ({ step, epoch, loss, tokens, ms }: StepFields): void => {
    pace.add({ loss, tokens, ms })
    const place = `${count(step)}/${count(total)}  ${epochText(epoch)}`
    if (!screen.live) {
      if (isTenth(step)) screen.line(`step ${place}  ${figures(step)}`)
      return
    }
    const now = performance.now()
    if (now - drawn < REDRAW_MS && step !== total) return
    drawn = now
    screen.show(`${bar(step / total, stream.columns ?? 80)}  ${place}\n${figures(step)}`)
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
