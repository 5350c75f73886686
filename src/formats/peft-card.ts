import { join } from 'node:path'
import { readFields } from '../json-file.ts'
import type { Card } from './adapter.ts'
import { hubName } from './card.ts'
import { taskOfKind } from './class-name.ts'
import { headOutputs } from './labels.ts'
import { peftTasks } from './peft-head.ts'
import { PEFT_CONFIG, PEFT_TENSORS } from './peft-version.ts'
import { entriesOf, tensorFile } from './stored-tensors.ts'

/** What a folder of HF PEFT tells without the model; its head's tensors begin with `headPrefix`. */
export function peftCard(folder: string, headPrefix: string): Card {
  const config = readFields(join(folder, PEFT_CONFIG))
  const outputs = headOutputs(entriesOf(tensorFile(folder, PEFT_TENSORS)), headPrefix)
  return {
    task: taskOfKind(peftTasks.get(String(config.task_type))?.kind ?? null, outputs),
    labels: null,
    outputs,
    baseModel: hubName(config.base_model_name_or_path),
    adapterName: null,
    totalSteps: typeof config.total_step === 'number' ? config.total_step : null,
  }
}
