// Tries claims one after another, those that were stopped from where they were, and writes docs/claims.md of what was found.
// Usage: npm run claims [-- --full] [claim ...]; the quick form of all claims by default. With --plan it is told what they would take, with
// --page only the page is written.
import './ensure-installed.js'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tools.js'

/** Runs a program of ours and waits for it, also where both are asked to end; its exit code. */
async function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  // A terminal tells both of Ctrl-C; of other signals the program would not hear.
  const asked = { SIGINT: () => {}, SIGTERM: () => child.kill('SIGTERM') }
  for (const [signal, end] of Object.entries(asked)) process.on(signal, end)
  const [code] = await once(child, 'exit')
  for (const [signal, end] of Object.entries(asked)) process.off(signal, end)
  return code ?? 1
}

if ((await run(['scripts/build.js', '--if-stale'])) !== 0) process.exit(1)
const { register } = await import('tsx/esm/api')
register()
const { claimNames, openClaim } = await import('../src/claims/claim-list.ts')
const { claimsPlan, claimsPlanText } = await import('../src/claims/claims-plan.ts')
const { claimsPage } = await import('../src/claims/page.ts')
const { recordName } = await import('../src/claims/record.ts')
const { isPacked, unpackModel } = await import('../bench/training/packed-model.ts')

const given = process.argv.slice(2)
const quick = !given.includes('--full')
const named = given.filter((each) => !each.startsWith('--'))
const [work, results, drawings] = ['runs/claims', 'bench/results/claims', 'docs/claims'].map((folder) => join(root, folder))
for (const folder of [results, drawings]) mkdirSync(folder, { recursive: true })

/** The folder of a model whose weights lie packed, unpacked; null for any other. */
function unpacked(model) {
  if (typeof model !== 'string' || !isPacked(model)) return null
  const folder = join('runs/claims/models', model.split('/').at(-1))
  unpackModel(model, join(root, folder))
  return folder
}

const withAssets = (model) => model?.replace(/\$(\{ADATUNE_ASSETS\}|ADATUNE_ASSETS)/, process.env.ADATUNE_ASSETS ?? '$ADATUNE_ASSETS')

/** A claim, and the model that takes the place of its own one where that has to be unpacked. */
function opened(name) {
  const claim = openClaim(name, { quick })
  const model = claim.kind === 'comparison' ? unpacked(withAssets(claim.comparison.base.model)) : null
  return model === null ? { claim, model } : { claim: openClaim(name, { quick, model: join(root, model) }), model }
}

const names = named.length > 0 ? named : claimNames()
if (given.includes('--plan')) {
  process.stdout.write(claimsPlanText(await claimsPlan(names.map((name) => opened(name).claim))))
  process.exit()
}

for (const name of given.includes('--page') ? [] : names) {
  const { claim, model } = opened(name)
  console.log(`\n${recordName(claim)}`)
  const code = await run(['bin/adatune.js', 'claims', name, ...(quick ? ['--quick'] : []), ...(model ? ['--model', model] : [])])
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
