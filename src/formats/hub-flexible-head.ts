import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { TaskName } from '../heads/index.ts'
import type { Fields } from '../json-file.ts'
import type { HeadKind } from '../nn/head-kind.ts'
import type { TensorEntry } from '../weights/tensor-entry.ts'
import { isOutside, type Subject } from './adapter.ts'
import { taskOfKind } from './class-name.ts'
import { checkedFields } from './hub-architecture.ts'
import { labelNames } from './labels.ts'
import type { Stored } from './stored-tensors.ts'

/** Heads of adapter-hub's flexible classes that a model's own class has too. */
const kinds: Readonly<Record<string, HeadKind>> = {
  classification: 'sequence-classification',
  tagging: 'token-classification',
  question_answering: 'question-answering',
}

/** What lies between the layers of a model's own head on whole texts; source: STATIC_TO_FLEX_HEAD_MAP of adapters 1.3. */
const between: Readonly<Record<string, string>> = {
  roberta: 'tanh',
  'xlm-roberta': 'tanh',
  distilbert: 'relu',
  electra: 'gelu',
  'deberta-v2': 'gelu',
}

const fields = z.object({
  name: z.string('must be the name within the tensors of the head'),
  config: z.object({
    head_type: z.string(),
    layers: z.number().int().positive(),
    activation_function: z.string().nullish(),
    use_pooler: z.boolean().default(false),
    bias: z.literal(true, 'is not true: heads here have biases').default(true),
    label2id: z.record(z.string(), z.unknown()).nullish(),
  }),
})

interface FlexibleHead {
  readonly task: TaskName | null
  readonly labels: readonly string[] | null
  readonly outputs: number | null
  readonly stored: (subject: Subject) => Stored[]
}

/**
 * A head of a flexible class (`BertAdapterModel`): dropout, map, activation, dropout, map ... in a row. It is read where the model's own
 * class has the same.
 * @throws UserError for other kinds of heads
 */
export function flexibleHead(about: Fields, entries: ReadonlyMap<string, TensorEntry>, file: string): FlexibleHead {
  const { name, config } = checkedFields(fields, about, file)
  const next = "save it from a static class such as BertForSequenceClassification, with the model's own head"
  const kind = kinds[config.head_type]
  const refused = (why: string): UserError =>
    new UserError(`${file} describes a flexible head ("head_type" "${config.head_type}") ${why}; ${next}.`)
  if (!kind || !Object.hasOwn(kinds, config.head_type)) throw refused('of a kind that is not known here')
  // Each map but the first follows an activation and a dropout.
  const at = (layer: number): string => `heads.${name}.${1 + 3 * layer}`
  const outputs = entries.get(`${at(config.layers - 1)}.weight`)?.shape[0] ?? null
  return {
    task: taskOfKind(kind, outputs),
    labels: config.label2id ? labelNames(config.label2id) : null,
    outputs,
    stored(subject) {
      const { model, outline } = subject
      const own = [...outline.base.values()].filter((tensor) => isOutside(model, tensor.name))
      const modules = [...new Set(own.map((tensor) => tensor.name.slice(0, tensor.name.lastIndexOf('.'))))]
      if (modules.length !== config.layers) throw refused(`of ${config.layers} layer(s), and that of this model has ${modules.length}`)
      const pools = outline.sites.some((site) => site.kind === 'linear' && site.role === 'pooler' && !isOutside(model, site.name))
      if (config.use_pooler !== pools)
        throw refused(pools ? 'without the pooler, which that of this model has' : 'with a pooler, which that of this model lacks')
      const act = between[model.modelType] ?? null
      if (modules.length > 1 && (config.activation_function ?? null) !== act)
        throw refused(
          `with "activation_function" ${JSON.stringify(config.activation_function)}, and that of this model has ${JSON.stringify(act)}`,
        )
      return own.map(({ name: tensor, shape }): Stored => {
        const cut = tensor.lastIndexOf('.')
        return { name: tensor, as: [`${at(modules.indexOf(tensor.slice(0, cut)))}${tensor.slice(cut)}`], shape }
      })
    },
  }
}
