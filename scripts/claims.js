// Tries claims one after another, those that were stopped from where they were, and writes docs/claims.md of what was found.
// Usage: npm run claims [-- --full] [claim ...]; the quick form of all claims by default. With --page only the page is written.
import './ensure-installed.js'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tools.js'

const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
if (run(['scripts/build.js', '--if-stale']) !== 0) process.exit(1)
const { register } = await import('tsx/esm/api')
register()
const { claimNames, openClaim } = await import('../src/claims/claim-list.ts')
const { claimsPage } = await import('../src/claims/page.ts')
const { recordName } = await import('../src/claims/record.ts')

const given = process.argv.slice(2)
const quick = !given.includes('--full')
const named = given.filter((each) => !each.startsWith('--'))
const [work, results, drawings] = ['runs/claims', 'bench/results/claims', 'docs/claims'].map((folder) => join(root, folder))
for (const folder of [results, drawings]) mkdirSync(folder, { recursive: true })

/** The folder of a model whose weights lie packed, unpacked; null for any other. */
function unpacked(model) {
  if (typeof model !== 'string' || !existsSync(join(model, 'model.safetensors.xz')) || existsSync(join(model, 'model.safetensors')))
    return null
  const folder = join('runs/claims/models', model.split('/').at(-1))
  mkdirSync(join(root, folder), { recursive: true })
  for (const name of ['config.json', 'tokenizer.json', 'model.safetensors.xz']) copyFileSync(join(model, name), join(root, folder, name))
  if (
    !existsSync(join(root, folder, 'model.safetensors')) &&
    spawnSync('xz', ['-dkf', 'model.safetensors.xz'], { cwd: join(root, folder), stdio: 'inherit' }).status !== 0
  )
    throw new Error(`xz could not unpack the weights in ${folder}`)
  return folder
}

const modelOf = (claim) => (claim.kind === 'comparison' ? claim.comparison.base.model : null)
const withAssets = (model) => model?.replace(/\$(\{ADATUNE_ASSETS\}|ADATUNE_ASSETS)/, process.env.ADATUNE_ASSETS ?? '$ADATUNE_ASSETS')

for (const name of given.includes('--page') ? [] : named.length > 0 ? named : claimNames()) {
  const claim = openClaim(name, { quick })
  const model = unpacked(withAssets(modelOf(claim)))
  console.log(`\n${recordName(claim)}`)
  const code = run(['bin/adatune.js', 'claims', name, ...(quick ? ['--quick'] : []), ...(model ? ['--model', model] : [])])
  if (code === 130) process.exit(code)
  if (code !== 0) {
    process.exitCode = 1
    continue
  }
  const own = recordName(claim)
  copyFileSync(join(work, own, 'claim.json'), join(results, `${own}.json`))
  if (existsSync(join(work, own, 'claim.svg'))) copyFileSync(join(work, own, 'claim.svg'), join(drawings, `${own}.svg`))
}
const page = join(root, 'docs/claims.md')
const told = claimsPage({ results, drawings, link: 'claims' })
// Others may be reading it.
if (!existsSync(page) || readFileSync(page, 'utf8') !== told) writeFileSync(page, told)
