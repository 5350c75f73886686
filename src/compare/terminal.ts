import { type MetricText, metricText, metricTextOf, type NamedTask } from '../track/metric-text.ts'
import { digits, duration } from '../track/numbers.ts'
import { openPace } from '../track/pace.ts'
import { bar, openScreen } from '../track/screen.ts'
import type { RunEvent } from '../train/events.ts'
import type { ComparisonEvent } from './run-trials.ts'
import type { Trial } from './trial.ts'

interface Running {
  readonly pace: ReturnType<typeof openPace>
  step: number
  total: number
  text: MetricText
  evaluated: string
}

/** Shows a comparison to a person: a line for each trial that ends, and on a terminal those that run below. */
export function comparisonTerminal(stream: NodeJS.WriteStream): { tell: (event: ComparisonEvent) => void; close: () => void } {
  const screen = openScreen(stream)
  const running = new Map<string, Running>()
  const began = performance.now()
  let [total, done] = [0, 0]

  const line = (id: string, { step, total: steps, pace, evaluated }: Running): string => {
    const loss = Number.isFinite(pace.loss) ? `  loss ${digits(pace.loss)}` : ''
    return `${bar(step / Math.max(1, steps), 60)}  ${id}  ${step}/${steps || '?'}${loss}${evaluated}`
  }
  const draw = (): void => screen.show([...running].map(([id, each]) => line(id, each)).join('\n'))
  const nameOf = ({ arm, seed, times }: Trial): string => `${arm}, seed ${seed}${times === null ? '' : `, rate x ${times}`}`

  const onEvent = (trial: Trial, event: RunEvent): void => {
    const state = running.get(nameOf(trial))!
    if (event.event === 'run') {
      state.total = event.totalSteps as number
      state.text = metricTextOf(event.task as NamedTask)
    } else if (event.event === 'step') {
      state.step = event.step!
      state.pace.add(event as unknown as Parameters<typeof state.pace.add>[0])
    } else if (event.event === 'eval') {
      const [[name, value] = ['', 0]] = Object.entries(event).filter(
        ([key, each]) => typeof each === 'number' && !['step', 'epoch'].includes(key),
      )
      state.evaluated = `  ${name} ${state.text(name, value as number)}`
    } else return
    draw()
  }

  function tell(event: ComparisonEvent): void {
    if (event.kind === 'trials') {
      ;[total, done] = [event.total, event.total - event.left]
      const what = event.purpose === 'rates' ? 'trials of learning rates' : 'trials'
      screen.line(`${total} ${what}: ${done} are there, ${event.left} to run`)
      return
    }
    const name = nameOf(event.trial)
    if (event.kind === 'begin') running.set(name, { pace: openPace(), step: 0, total: 0, text: metricText(false), evaluated: '' })
    else if (event.kind === 'event') onEvent(event.trial, event.event)
    else {
      const evaluated = running.get(name)?.evaluated ?? ''
      running.delete(name)
      if (event.kind === 'ended') done++
      const told = event.kind === 'failed' ? `failed: ${event.message}` : event.kind === 'stopped' ? 'stopped' : `ended${evaluated}`
      screen.line(`${done}/${total}  ${name}: ${told}  (${duration((performance.now() - began) / 1000)})`)
      draw()
    }
  }
  return { tell, close: () => screen.close(false) }
}
