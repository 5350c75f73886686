import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type DryRun, dryRun } from '../../src/cli/dry-run.ts'
import { armsOf } from '../../src/compare/arms.ts'
import { readComparison } from '../../src/compare/comparison-file.ts'
import { readRun } from '../../src/config/parse.ts'
import { publishedResults, publishedRun } from '../../src/config/published-runs.ts'
import type { RunConfig } from '../../src/config/run-config.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { type WeightCounts, weightCounts } from '../../src/evaluate/weight-counts.ts'
import { type Model, openConfig } from '../../src/models/open.ts'
import { openRun } from '../../src/train/open-run.ts'
import { document } from '../docs/documents.ts'
import { repository } from './project.ts'

const root = join(repository, 'recipes')
process.env.ADATUNE_ASSETS = '/nowhere'

const recipes = ['adalora', 'adamix'].flatMap((paper) => readdirSync(join(root, paper)).map((file) => `${paper}/${file}`))

/** A recipe on the config of its model that lies beside it. */
function readRecipe(name: string): RunConfig {
  const { model } = readRun(join(root, name))
  return readRun(join(root, name), [`model=${join(root, 'models', model)}`])
}

function weightsOf(config: RunConfig, model: Model): WeightCounts {
  const { open, options } = openRun(config, model, null, { words: false })
  return weightCounts(open.outline, methodFor(open.subject, open.outline, options))
}

const units: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 }

/** The weights that a paper's label means: `0.32M`, or a share of the model. */
function labelled(budget: string, { base, head }: WeightCounts): number {
  const number = Number.parseFloat(budget)
  return budget.endsWith('%') ? (number / 100) * (base + head) : number * units[budget.at(-1)!]!
}

/** Updates that the papers' epochs and batches come to, and exact numbers of weights, in training and at the end. */
const expected: Readonly<Record<string, Partial<Record<'steps' | 'trained' | 'merged', number>>>> = {
  'adalora/mnli.yaml': { steps: 85_904, trained: 1_991_520, merged: 1_327_680 },
  'adalora/rte.yaml': { steps: 3_900 },
  'adalora/qnli.yaml': { steps: 16_370 },
  'adalora/mrpc.yaml': { steps: 3_450 },
  'adalora/qqp.yaml': { steps: 56_855 },
  'adalora/sst2.yaml': { steps: 50_520 },
  'adalora/cola.yaml': { steps: 6_700 },
  'adalora/stsb.yaml': { steps: 4_500 },
  'adalora/squad-v1.yaml': { steps: 54_750 },
  'adalora/squad-v2.yaml': { steps: 97_740 },
  // Micro-batches run on over the end of an epoch, so that 18 updates of the paper's 79,725 are saved.
  'adalora/xsum.yaml': { steps: 79_707, trained: 6_490_368, merged: 4_326_912 },
  'adalora/cnn-dailymail.yaml': { steps: 134_588, trained: 6_490_368 },
  'adamix/roberta-large-mnli.yaml': { trained: 1_992_192, merged: 811_392 },
  'adamix/bert-base-mnli.yaml': { trained: 2_223_360, merged: 894_528 },
  'adamix/gpt2-medium-e2e.yaml': { steps: 105_160, trained: 1_769_472, merged: 393_216 },
  'adamix/few-shot-rte.yaml': { steps: 160, merged: 811_392 },
  'adamix/few-shot-mnli.yaml': { steps: 240 },
}

test('there is a recipe for every experiment', () => {
  assert.equal(recipes.filter((name) => name.startsWith('adalora/')).length, 8 + 2 + 2)
  assert.equal(recipes.filter((name) => name.startsWith('adamix/')).length, 2 * 8 + 3 + 6)
  for (const name of Object.keys(expected)) assert.ok(recipes.includes(name), name)
  const listed = [...document('docs/recipes.md').matchAll(/^\| `(\w+\/[\w-]+)` *\| *\d/gm)].map(([, name]) => `${name}.yaml`)
  assert.deepEqual(listed.sort(), [...recipes].sort())
})

for (const name of recipes) {
  test(`${name} is a run, and its methods are as large as published`, async () => {
    const config = readRecipe(name)
    const model = openConfig(config.model)
    const found: DryRun = await dryRun(config)
    const { steps = found.totalSteps, ...counts } = expected[name] ?? {}
    assert.equal(found.totalSteps, steps)
    assert.deepEqual({ ...found.weights, ...counts }, found.weights)
    assert.ok(found.warmupSteps < found.totalSteps)
    assert.ok(found.memoryBytes > 4 * found.weights.base && found.trainFlops > 0)
    assert.ok(
      publishedResults(config).some(({ own }) => own),
      'no result is published of the recipe as it stands',
    )
    for (const result of config.published!.results) {
      const run = publishedRun(config, result)
      if (run === null || result.budget === null) continue
      const weights = weightsOf(run, model)
      const share = weights.merged / labelled(result.budget, weights)
      assert.ok(Math.abs(share - 1) < 0.15, `${result.method} at ${result.budget}: ${weights.merged}`)
    }
  })
}

test('what was looked into behind a claim is a comparison that its notes name', () => {
  const claims = readdirSync(join(root, 'claims')).map((file) => readFileSync(join(root, 'claims', file), 'utf8'))
  const files = readdirSync(join(root, 'reasons'))
  assert.ok(files.length > 0)
  for (const file of files) {
    const { arms, seeds } = armsOf(readComparison(join(root, 'reasons', file)))
    assert.ok(arms.length > 1 && seeds.length > 2, file)
    assert.ok(
      claims.some((claim) => claim.includes(`recipes/reasons/${file}`)),
      file,
    )
  }
})
