import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { architectures } from '../../src/models/index.ts'

const golden = join(import.meta.dirname, '../golden')
const covered = new Set(
  readdirSync(golden)
    .map((name) => join(golden, name, 'base/config.json'))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')).model_type as string),
)

for (const [modelType, architecture] of architectures) {
  test(`${modelType} has a golden case, or is wired as one that has`, () => {
    // XLM-RoBERTa differs from RoBERTa by its vocabulary alone.
    const twins: Record<string, string> = { 'xlm-roberta': 'roberta' }
    const twin = twins[modelType]
    assert.ok(covered.has(modelType) || (twin && covered.has(twin)))
    if (!twin) return
    const config = JSON.parse(readFileSync(join(golden, `${twin}-cls-lora`, 'base/config.json'), 'utf8'))
    const [one, other] = [architecture.wire(config), architectures.get(twin)!.wire(config)]
    assert.equal(one.prefix, other.prefix)
    assert.deepEqual(one.positions(Int32Array.of(5, 1, 7)), other.positions(Int32Array.of(5, 1, 7)))
  })
}
