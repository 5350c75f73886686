// What the other scripts share: where the repository is, how a tool from node_modules is run, how folders are walked.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs the program of an installed package in the repository's root; returns whether it succeeded. */
export function runTool(name, args) {
  const manifestPath = join(root, 'node_modules', name, 'package.json')
  const { bin } = createRequire(import.meta.url)(manifestPath)
  const program = typeof bin === 'string' ? bin : Object.values(bin)[0]
  const { status, error } = spawnSync(process.execPath, [join(dirname(manifestPath), program), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error) console.error(`${name} did not start: ${error.message}`)
  return status === 0
}

/** Every file below a folder of the repository, as a path from the root with forward slashes, sorted. */
export function filesIn(folder) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : `${folder}/${entry.name}`))
    .sort()
}
