// Installs the locked dependencies when node_modules does not hold them; otherwise does nothing. Importing it is running it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { root } from './tools.js'

const cache = join(root, '.cache')
const turn = join(cache, 'install.pid')

const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'))

/** Why an install is needed, or undefined. npm writes node_modules/.package-lock.json last, so an install that broke off has none. */
function reasonToInstall(locked) {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return 'node_modules is missing or incomplete'
  const installed = readJson('node_modules/.package-lock.json').packages
  for (const [path, wanted] of Object.entries(locked)) {
    if (path === '') continue
    const found = installed[path]
    // Packages for other platforms are locked as optional and left out.
    if (!found && wanted.optional) continue
    if (found?.version !== wanted.version || !existsSync(join(root, path))) return `${path} is not the locked ${wanted.version}`
  }
  return undefined
}

/** Whether package-lock.json was made for the dependencies that package.json names. */
function isLockCurrent(locked) {
  const manifest = readJson('package.json')
  return ['dependencies', 'devDependencies'].every((field) => isDeepStrictEqual(manifest[field], locked[''][field]))
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Whether the file that marks a running install was left behind by one that ended without removing it. */
function isAbandoned() {
  try {
    const pid = Number(readFileSync(turn, 'utf8'))
    return pid > 0 ? !isAlive(pid) : Date.now() - statSync(turn).mtimeMs > 10_000
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

/** Waits until no other process installs here, then marks this one as the one that does. */
async function takeTurn() {
  mkdirSync(cache, { recursive: true })
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(turn, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned()) {
      rmSync(turn, { force: true })
    } else {
      if (!waited) console.log('Waiting for another install of the dependencies to end')
      await sleep(500)
    }
  }
}

/** Installs what is locked; returns the exit status. */
function install(reason, locked) {
  console.log(`Installing the locked dependencies: ${reason}`)
  // Not npm ci, which refuses a lock file that lacks a package for some other platform. --no-save keeps the lock file as it is.
  const { status, error } = spawnSync('npm', ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: root,
    // ONNX Runtime's package holds the CPU library; its install step would only fetch the CUDA one.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    // npm is a .cmd file on Windows, which only a shell starts.
    shell: process.platform === 'win32',
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) {
    console.error(error ? `npm did not start: ${error.message}` : 'npm install failed; its output is above')
    return status || 1
  }
  const wrong = reasonToInstall(locked)
  if (wrong) console.error(`npm install ended well, but ${wrong}`)
  return wrong ? 1 : 0
}

const locked = readJson('package-lock.json').packages
if (!isLockCurrent(locked)) {
  console.error('package.json and package-lock.json name different dependencies. Bring them together with: npm install')
  process.exit(1)
}
if (reasonToInstall(locked)) {
  await takeTurn()
  let status = 0
  try {
    const reason = reasonToInstall(locked)
    if (reason) status = install(reason, locked)
  } finally {
    rmSync(turn, { force: true })
  }
  if (status !== 0) process.exit(status)
}
