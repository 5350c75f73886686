import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { openModel } from './open.ts'

test("a BART whose words' logits are shifted is refused, one whose shifts are zero is not", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'adatune-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const sides = ['encoder', 'decoder'].map((side) => ({ [`${side}_layers`]: 1, [`${side}_attention_heads`]: 1, [`${side}_ffn_dim`]: 4 }))
  const config = { model_type: 'bart', vocab_size: 3, d_model: 4, max_position_embeddings: 8, ...sides[0], ...sides[1] }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const opened = (shifts: readonly number[]) => {
    writeSafetensors(join(folder, 'model.safetensors'), [['final_logits_bias', { shape: [1, 3], data: Float32Array.from(shifts) }]])
    return openModel(folder, (checkpoint) => checkpoint)
  }
  opened([0, -0, 0])
  assert.throws(() => opened([0, 0.5, 0]), /"final_logits_bias" is not zero/)
})
