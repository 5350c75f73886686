/**
 * What it takes before the first update: the time from the command to its end, with all-MiniLM-L6-v2, and the size of what is installed;
 * beside torch with PEFT where ADATUNE_PEER_PYTHON names a Python that has them, which is given its rows as token ids.
 * Usage: npm run bench -- start [--rounds n] [--threads n]
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { parseRun } from '../src/config/parse.ts'
import { circumstances, processorOf } from './report/circumstances.ts'
import { keepResults, resultsFile } from './report/told.ts'
import { type StartResult, startTold } from './start/report.ts'
import { cases } from './steps/cases.ts'
import { rounded } from './steps/numbers.ts'
import { batchesOf, peerCase, settingsOf } from './steps/side-files.ts'
import { assetsFolder, readResults, root } from './training/trained-run.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, threads: { type: 'string', default: '2' } } })
const [rounds, threads] = [Number(values.rounds), Number(values.threads)]
const work = join(root, 'runs/bench-start')

/** Seconds from the start of a process to the first line of its output that `is` recognises; the process is ended then. */
async function secondsUntil(program: string, args: readonly string[], is: (told: Record<string, unknown>) => boolean): Promise<number> {
  const start = performance.now()
  const child = spawn(program, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  child.stdin.write('step\n')
  for await (const line of createInterface({ input: child.stdout })) {
    if (!is(JSON.parse(line))) continue
    const seconds = (performance.now() - start) / 1e3
    child.kill('SIGKILL')
    await exit
    return seconds
  }
  throw new Error(`${program} ended before its first step, with ${(await exit)[0]}`)
}

/** Bytes of the files in a folder that `counts`; links are not followed. */
function bytesIn(folder: string, counts: (file: string) => boolean = () => true): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const file = join(folder, name)
    const entry = lstatSync(file)
    return sum + (entry.isFile() && counts(file) ? entry.size : 0)
  }, 0)
}

/** Bytes of the packages that `npm ci --omit=dev` installs, with the runtime's files of this platform alone, and of what we publish. */
function ownBytes(): number {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>
  }
  const modules = join(root, 'node_modules')
  const production = new Set(
    Object.entries(packages).flatMap(([path, { dev, devOptional }]) => (path && !dev && !devOptional ? [path] : [])),
  )
  const platform = join(process.platform, process.arch)
  const isOfPlatform = (file: string): boolean => !/[/\\]bin[/\\]napi-v\d+[/\\]/.test(file) || file.includes(platform)
  const nested = (path: string): string[] => [...production].filter((other) => other !== path && other.startsWith(`${path}/`))
  const dependencies = [...production].reduce((sum, path) => {
    const folder = join(root, path)
    const inner = nested(path).map((other) => join(root, other))
    // Packages for other platforms are not there.
    try {
      return sum + bytesIn(folder, (file) => isOfPlatform(file) && !inner.some((other) => !relative(other, file).startsWith('..')))
    } catch (error) {
      if (packages[path]!.optional) return sum
      throw new Error(`${path} is not installed in ${modules}`, { cause: error })
    }
  }, 0)
  return dependencies + bytesIn(join(root, 'dist')) + bytesIn(join(root, 'bin'))
}

function peerBytes(python: string): number {
  const found = spawnSync(python, ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])'], { encoding: 'utf8' })
  return bytesIn(found.stdout.trim())
}

assetsFolder('models/all-MiniLM-L6-v2 and data/glue-mrpc')
mkdirSync(work, { recursive: true })
const each = cases['minilm-mrpc']!
const files = each.files()!
const settings = settingsOf(each, each.sides.float32!, files, threads)
const runFile = join(work, 'run.json')
writeFileSync(runFile, JSON.stringify(settings))
const python = process.env.ADATUNE_PEER_PYTHON ?? null
const batches = await batchesOf('start', parseRun(settings, 'bench/start.ts'), 1)
const found = circumstances()
const times: StartResult['secondsToFirstUpdate'][number][] = []
for (let round = 0; round < rounds; round++) {
  const load = rounded(loadavg()[0]!, 2)
  const out = join(work, 'out')
  rmSync(out, { recursive: true, force: true })
  const ours = await secondsUntil(
    process.execPath,
    ['bin/adatune.js', 'train', runFile, '--json', '--out', out],
    ({ event }) => event === 'step',
  )
  const file = peerCase('start', each, each.sides.torch!, { files, batches, threads })
  const torch = python === null ? null : await secondsUntil(python, ['bench/peer/step.py', file], (told) => 'loss' in told)
  times.push({ ours: rounded(ours), torch: torch === null ? null : rounded(torch), load })
  console.log(`round ${round + 1}, load ${load}: first update after ${ours.toFixed(2)} s, torch ${torch?.toFixed(2) ?? '-'} s`)
}

const installedMB = { ours: rounded(ownBytes() / 1e6, 1), torch: python === null ? null : rounded(peerBytes(python) / 1e6, 1) }
const command = `npm run bench -- start --rounds ${rounds} --threads ${threads}`
const results = readResults<StartResult>(resultsFile('start'))
results[`${threads} threads, ${processorOf(found)}`] = { secondsToFirstUpdate: times, installedMB, ...found, command }
keepResults('start', results, startTold(results))
