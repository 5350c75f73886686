import { z } from 'zod'
import { type PromptOptions, promptOptions } from '../methods/prompt.ts'
import { parameterName } from '../nn/method.ts'
import { methodOf, type Subject } from './adapter.ts'
import { checkedFields, type HubArchitecture, hubNames, refuseFields } from './hub-architecture.ts'
import type { Stored } from './stored-tensors.ts'

const fields = z.object({
  prompt_init: z.enum(['random_uniform', 'from_string']).default('random_uniform'),
  prompt_init_text: z.string().min(1).nullish(),
  prompt_length: z.number().int().positive().default(10),
})

const fixed = { combine: 'prefix' }
const meanings = { combine: 'the prompt follows the first token' }
const known = new Set([...Object.keys(fields.shape), ...Object.keys(fixed), 'architecture', 'init_weights_seed', 'random_uniform_scale'])

function storedOf(options: PromptOptions, subject: Subject, name: string): Stored[] {
  const method = methodOf({ options, memory: null }, subject)
  const as = hubNames(subject, `${subject.model.wiring.prefix}.prompt_tuning.prompt_tunings.${name}.prompt_embedding.weight`)
  return subject.outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]) => ({ name: parameterName(site, role), as, shape })),
  )
}

/** Prompt tuning (`PromptTuningConfig` of adapters 1.3): behind the embeddings' norm and dropout; the text keeps its own positions. */
export const hubPrompt: HubArchitecture = {
  read({ config, name, file, subject }) {
    refuseFields(config, known, fixed, meanings, file)
    const { prompt_init: init, prompt_init_text: text, prompt_length: tokens } = checkedFields(fields, config, file)
    const start = init === 'from_string' && text ? { init: 'text', text } : { init: 'random' }
    const options = promptOptions.parse({ name: 'prompt', tokens, place: 'embedded', ...start })
    return { options, stored: storedOf(options, subject, name) }
  },
  config: (given) => {
    const { tokens, text } = given as PromptOptions
    return {
      architecture: 'prompt_tuning',
      combine: 'prefix',
      init_weights_seed: null,
      prompt_init: text === null ? 'random_uniform' : 'from_string',
      prompt_init_text: text,
      prompt_length: tokens,
    }
  },
  write: (options, state, name, subject) => ({ stored: storedOf(options as PromptOptions, subject, name), state }),
}
