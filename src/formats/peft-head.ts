import type { TaskName } from '../heads/index.ts'
import { heads } from '../heads/index.ts'
import type { HeadKind } from '../nn/head-kind.ts'
import type { Subject } from './adapter.ts'

interface PeftTask {
  readonly kind: HeadKind
  /** Modules that PEFT always trains and saves for the task. */
  readonly modules: readonly string[]
}

/** PEFT's task types, of which masked language models have none; source: `PeftModelFor...` in peft/peft_model.py, 0.21. */
export const peftTasks: ReadonlyMap<string, PeftTask> = new Map([
  ['SEQ_CLS', { kind: 'sequence-classification', modules: ['classifier', 'score'] }],
  ['TOKEN_CLS', { kind: 'token-classification', modules: ['classifier', 'score'] }],
  ['CAUSAL_LM', { kind: 'causal-lm', modules: [] }],
  ['SEQ_2_SEQ_LM', { kind: 'seq2seq-lm', modules: [] }],
  ['QUESTION_ANS', { kind: 'question-answering', modules: ['qa_outputs'] }],
])

export function taskType(task: TaskName | null): string | null {
  if (task === null) return null
  return [...peftTasks].find(([, { kind }]) => kind === heads[task].wiring)?.[0] ?? null
}

/** PEFT's rule: a module is saved whole where its dotted name ends with one of `modules`. */
const isSaved = (tensor: string, modules: readonly string[]): boolean => {
  const parts = tensor.split('.').slice(0, -1)
  return parts.some((_, i) =>
    modules.some((module) =>
      parts
        .slice(0, i + 1)
        .join('.')
        .endsWith(module),
    ),
  )
}

/** The tensors of the modules that PEFT saves whole. */
export function savedTensors(modules: readonly string[], { outline }: Subject): string[] {
  return [...outline.base.keys()].filter((name) => isSaved(name, modules))
}

/** `modules_to_save`: the modules of `others` that the task's leave out, and behind them the task's, in PEFT's order. */
export function modulesToSave(task: TaskName | null, others: Iterable<string>): string[] | null {
  const type = taskType(task)
  const standard = type === null ? [] : peftTasks.get(type)!.modules
  const rest = [...others].filter((name) => !isSaved(name, standard)).map((name) => name.slice(0, name.lastIndexOf('.')))
  const all = [...new Set([...rest, ...standard])]
  return all.length > 0 ? all : null
}
