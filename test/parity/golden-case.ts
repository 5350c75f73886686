import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseRun } from '../../src/config/parse.ts'
import type { RunConfig } from '../../src/config/run-config.ts'

/** A golden case as its `case.json` has it; `test/golden/README.md` says how it was made. */
export interface GoldenCase {
  readonly name: string
  readonly folder: string
  readonly task: keyof typeof taskNames
  readonly method: string
  readonly optimizer: {
    readonly lr: number
    readonly betas: [number, number]
    readonly eps: number
    readonly weight_decay: number
    readonly schedule: 'constant' | 'linear'
    readonly warmup_steps?: number
    readonly max_grad_norm: number | null
    readonly accumulate?: number
  }
  readonly batches: readonly Record<string, unknown[]>[]
  readonly before: Answers
  readonly after: Answers
  readonly steps: readonly {
    readonly loss: number
    readonly grad_norm?: number
    readonly penalty?: number
    readonly task_loss?: number
    readonly consistency?: number
    readonly ranks?: Readonly<Record<string, number>>
  }[]
  readonly trainable: number
  readonly consistency?: number
  readonly adapter?: { readonly activation_of_adapter?: string }
  readonly mixture?: { readonly experts: number; readonly share: string; readonly routes: unknown }
}

interface Answers {
  readonly logits?: readonly unknown[]
  readonly start_logits?: readonly unknown[]
  readonly end_logits?: readonly unknown[]
}

export function readCase(root: string, name: string): GoldenCase {
  const folder = join(root, name)
  return { ...JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')), name, folder }
}

const taskNames = {
  cls: 'sequence-classification',
  reg: 'regression',
  tok: 'token-classification',
  qa: 'question-answering',
  clm: 'causal-lm',
  s2s: 'seq2seq-lm',
} as const

interface PeftConfig {
  readonly [key: string]: never
}

/** The method as the run file has it, from what the reference wrote down of its own. */
function methodOf(golden: GoldenCase, work: string): Record<string, unknown> {
  const { method, folder, mixture, consistency } = golden
  const kind = method.split('-')[0]!
  if (mixture) {
    const routes = join(work, 'routes.json')
    writeFileSync(routes, JSON.stringify(mixture.routes))
    const activation = golden.adapter?.activation_of_adapter === 'tanh gelu' ? 'gelu_new' : null
    const of =
      method === 'adamix-lora' ? { name: 'lora', r: 4, alpha: 8, targets: ['query', 'value'] } : { name: 'bottleneck', size: 8, activation }
    return { name: 'adamix', of, experts: mixture.experts, share: [mixture.share], consistency, routing: { name: 'replay', file: routes } }
  }
  if (kind === 'bitfit' || kind === 'full') return { name: kind }
  const config: PeftConfig = JSON.parse(readFileSync(join(folder, 'adapter_init/adapter_config.json'), 'utf8'))
  if (kind === 'prompt' || kind === 'prefix')
    return { name: kind, tokens: config.num_virtual_tokens, ...(kind === 'prompt' ? { init: 'random' } : { attentions: 'peft' }) }
  if (kind === 'ia3') return { name: 'ia3', targets: config.target_modules, feedForward: config.feedforward_modules }
  if (kind === 'vera') return { name: 'vera', r: config.r, targets: config.target_modules }
  if (kind === 'lora' || kind === 'dora') {
    const { r, lora_alpha: alpha, target_modules: targets, bias, use_rslora: rslora, use_dora: dora } = config
    return { name: 'lora', r, alpha, targets, bias, rslora, dora }
  }
  if (kind === 'adalora') {
    const { init_r: initR, target_r: targetR, lora_alpha: alpha, target_modules: targets, tinit: tInit, tfinal: tFinal, deltaT } = config
    const { beta1, beta2, orth_reg_weight: orthogonality } = config
    return { name: 'adalora', initR, targetR, alpha, targets, tInit, tFinal, deltaT, beta1, beta2, orthogonality, shrink: 'never' }
  }
  return { name: 'bottleneck', variant: kind, size: 8 }
}

/** Where the case starts: an adapter's folder, a mixture's file, or a whole model. */
function start({ folder }: GoldenCase): { model: string; adapter: string | null } {
  const [init, experts] = [join(folder, 'adapter_init'), join(folder, 'experts_init.safetensors')]
  if (existsSync(experts)) return { model: join(folder, 'base'), adapter: experts }
  if (existsSync(join(init, 'model.safetensors'))) return { model: init, adapter: null }
  return { model: join(folder, 'base'), adapter: init }
}

/** The case as a run file and data files in a temporary folder. */
export function caseRun(golden: GoldenCase): { config: RunConfig; task: string; firstBatch: string; work: string } {
  const work = mkdtempSync(join(tmpdir(), 'adatune-golden-'))
  const lines = golden.batches.map((batch) =>
    batch.input_ids!.map((_, row) => JSON.stringify(Object.fromEntries(Object.entries(batch).map(([key, values]) => [key, values[row]])))),
  )
  const [data, firstBatch] = [join(work, 'rows.jsonl'), join(work, 'first.jsonl')]
  writeFileSync(data, lines.flat().join('\n'))
  writeFileSync(firstBatch, lines[0]!.join('\n'))
  const { optimizer } = golden
  const task = taskNames[golden.task]
  const config = parseRun(
    {
      ...start(golden),
      task,
      method: methodOf(golden, work),
      data: { train: data, ...(golden.task === 'cls' && { labels: ['0', '1', '2'] }) },
      train: {
        batchSize: lines[0]!.length,
        steps: golden.steps.length,
        shuffle: false,
        learningRate: optimizer.lr,
        schedule: optimizer.schedule,
        warmupSteps: optimizer.warmup_steps ?? 0,
        weightDecay: optimizer.weight_decay,
        betas: optimizer.betas,
        epsilon: optimizer.eps,
        maxGradNorm: optimizer.max_grad_norm,
        accumulate: optimizer.accumulate ?? 1,
        // adapter-hub counts what lies outside of the encoder to the head.
        trainAlso: golden.name.startsWith('deberta') && ['houlsby', 'pfeiffer'].includes(golden.method) ? ['pooler'] : [],
      },
    },
    golden.name,
  )
  return { config, task, firstBatch, work }
}
