// Checks that every folder of src imports only folders of a lower rank, itself, and what ALSO allows.
// The files of FOR_ALL may be imported by all; src/index.ts may import all; tests are exempt.
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { filesIn, root } from './tools.js'

const RANKS = [
  ['graph', 'metrics', 'random', 'data'],
  ['autodiff', 'onnx', 'nn', 'weights', 'optim', 'routing', 'allocation'],
  ['lowering', 'runtime', 'models', 'methods', 'heads', 'settings'],
  ['tasks', 'formats'],
  ['evaluate'],
  ['generate'],
  ['config'],
  ['merging', 'train'],
  ['track'],
  ['compare'],
  ['claims', 'demo'],
  ['cli'],
]
const ALSO = { data: ['random'] }
const FOR_ALL = ['errors.ts', 'file-faults.ts', 'grouped.ts', 'is-object.ts', 'json-file.ts', 'on-demand.ts', 'package.ts', 'quoted.ts']

// import … from '…', export … from '…', import '…', import('…')
const IMPORT = /\b(?:from\s*|import\s*\(?\s*)(['"])(\.[^'"]*)\1/g

const rankOf = (folder) => RANKS.findIndex((folders) => folders.includes(folder))

/** The folder of src that a file is in, or the file's own name when it lies in src itself; undefined outside src. */
function partOf(path) {
  const [top, part] = path.split('/')
  return top === 'src' ? part : undefined
}

/** Why src/`from` may not import src/`to`, or undefined. */
function objection(from, to) {
  if (from === to || FOR_ALL.includes(to) || from === 'index.ts') return undefined
  if (to === undefined) return 'it lies outside src'
  if (rankOf(to) < 0) return `${to} has no rank`
  if (rankOf(to) < rankOf(from) || ALSO[from]?.includes(to)) return undefined
  return `rank ${rankOf(to)} is not below rank ${rankOf(from)}`
}

const problems = []
for (const file of filesIn('src').filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
  const from = partOf(file)
  if (rankOf(from) < 0 && !FOR_ALL.includes(from) && from !== 'index.ts') {
    problems.push(`${file}:1: src/${from} has no rank in scripts/import-ranks.js`)
    continue
  }
  const text = readFileSync(join(root, file), 'utf8')
  for (const match of text.matchAll(IMPORT)) {
    const target = posix.join(posix.dirname(file), match[2])
    const to = partOf(target)
    const reason = objection(from, to)
    const line = text.slice(0, match.index).split('\n').length
    if (reason) problems.push(`${file}:${line}: src/${from} may not import ${to ? `src/${to}` : target} (${reason})`)
  }
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
