import type { TaskName } from '../heads/index.ts'
import { heads } from '../heads/index.ts'
import type { Model } from '../models/open.ts'
import type { HeadKind } from '../nn/head-kind.ts'

/** How transformers spells the model types in its class names. */
const spellings: Readonly<Record<string, string>> = {
  albert: 'Albert',
  bart: 'Bart',
  bert: 'Bert',
  'deberta-v2': 'DebertaV2',
  distilbert: 'DistilBert',
  electra: 'Electra',
  gemma2: 'Gemma2',
  gpt2: 'GPT2',
  llama: 'Llama',
  modernbert: 'ModernBert',
  mpnet: 'MPNet',
  qwen2: 'Qwen2',
  qwen3: 'Qwen3',
  roberta: 'Roberta',
  t5: 'T5',
  'xlm-roberta': 'XLMRoberta',
}

const endings: Readonly<Record<HeadKind, string>> = {
  'causal-lm': 'ForCausalLM',
  'seq2seq-lm': 'ForConditionalGeneration',
  'sequence-classification': 'ForSequenceClassification',
  'token-classification': 'ForTokenClassification',
  'multiple-choice': 'ForMultipleChoice',
  'question-answering': 'ForQuestionAnswering',
  'masked-lm': 'ForMaskedLM',
}

/** Classes that break the rule. */
const exceptions: Readonly<Record<string, Partial<Record<HeadKind, string>>>> = { gpt2: { 'causal-lm': 'LMHeadModel' } }

/** The class that transformers gives a model with this task's head, e.g. `BertForSequenceClassification`. */
export function className({ modelType, config }: Model, task: TaskName | null): string {
  const [given] = Array.isArray(config.architectures) ? config.architectures : []
  const named = typeof given === 'string' ? given.replace(/(For[A-Z]|Model$).*$/, '') : ''
  const start = spellings[modelType] ?? (named || modelType)
  if (task === null) return `${start}Model`
  const { wiring } = heads[task]
  return `${start}${exceptions[modelType]?.[wiring] ?? endings[wiring]}`
}

/** The task of a class name; one output on whole texts means regression, as in transformers. */
export function taskOf(name: unknown, outputs: number | null): TaskName | null {
  const all = [endings, ...Object.values(exceptions)].flatMap((of) => Object.entries(of))
  const [kind] = all.find(([, ending]) => typeof name === 'string' && name.endsWith(ending)) ?? []
  return taskOfKind((kind as HeadKind | undefined) ?? null, outputs)
}

export function taskOfKind(kind: HeadKind | null, outputs: number | null): TaskName | null {
  return kind === 'sequence-classification' && outputs === 1 ? 'regression' : kind
}
