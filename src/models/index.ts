import { didYouMean, UserError } from '../errors.ts'
import { albert } from './albert.ts'
import type { Architecture } from './architecture.ts'
import { bart } from './bart.ts'
import { bert } from './bert.ts'
import { deberta } from './deberta.ts'
import { distilbert } from './distilbert.ts'
import { electra } from './electra.ts'
import { gemma2 } from './gemma2.ts'
import { gpt2 } from './gpt2.ts'
import { llama } from './llama.ts'
import { modernbert } from './modernbert.ts'
import { mpnet } from './mpnet.ts'
import { qwen2, qwen3 } from './qwen.ts'
import { roberta, xlmRoberta } from './roberta.ts'
import { t5 } from './t5.ts'

/** Every architecture, by HF's `model_type`. */
export const architectures: ReadonlyMap<string, Architecture> = new Map(
  [bert, roberta, xlmRoberta, distilbert, electra, deberta, modernbert, mpnet, albert, gpt2, llama, qwen2, qwen3, gemma2, t5, bart].map(
    (architecture) => [architecture.modelType, architecture],
  ),
)

/** The architecture of a `model_type`; an unknown one is an error that names the known ones. */
export function architectureOf(modelType: string): Architecture {
  const found = architectures.get(modelType)
  if (found) return found
  const known = [...architectures.keys()]
  throw new UserError(
    `The model type "${modelType}" is not supported yet; supported are ${known.join(', ')}.${didYouMean(modelType, known)}`,
  )
}
