import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Question } from '../../src/evaluate/answering.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { runtimeVersion } from '../../src/runtime/node.ts'
import type { Asked, Passed } from './sides.ts'

const print = (told: object): void => void process.stdout.write(`${JSON.stringify(told)}\n`)
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024

/** Answers all rows, once a line comes in, and tells what it took. */
export async function answerPasses({ model, adapter, base, merges, rows, batchSize, maxLength }: Asked): Promise<void> {
  const questions = readFileSync(rows, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Question)
  const columns = { text: 'sentence1', pair: 'sentence2' }
  const predictor = await openPredictor({ model, adapter, base, merges, task: 'glue/rte', columns, maxLength, batchSize })
  print({ readyBytes: peakBytes(), versions: { node: process.version, onnxruntime: runtimeVersion } })
  for await (const _ of createInterface({ input: process.stdin })) {
    const [began, cpu] = [performance.now(), process.cpuUsage()]
    const answers = await predictor.predict(questions)
    const { user, system } = process.cpuUsage(cpu)
    const scores = answers.map(({ scores }) => Object.values(scores!)[0] as number)
    print({ ms: performance.now() - began, cpuMs: (user + system) / 1e3, scores, peakBytes: peakBytes() } satisfies Passed)
  }
  await predictor.close()
}
