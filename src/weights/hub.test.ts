import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { UserError } from '../errors.ts'
import { openCheckpoint } from './checkpoint.ts'
import { resolveModel } from './hub.ts'
import { encodeSafetensors } from './write-safetensors.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'hub-')))
const commit = 'c0ffee'.padEnd(40, '0')
const weights = Buffer.concat([...encodeSafetensors([['a', { shape: [1], data: Float32Array.of(4) }]])])
let files: Record<string, Buffer>
/** What the stub answers in place of its own answer, if anything. */
let answer: (request: IncomingMessage) => ((response: ServerResponse) => void) | undefined
let requests: string[]
let tokens: Set<string | undefined>
let cache: string
let made = 0

const server = createServer((request, response) => {
  requests.push(request.url!)
  tokens.add(request.headers.authorization)
  const special = answer(request)
  if (special) special(response)
  else stub(request, response)
})

before(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)))
after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(root, { recursive: true })
})
beforeEach(() => {
  files = {
    'config.json': Buffer.from('{}'),
    'tokenizer.json': Buffer.from('{"t":1}'),
    'vocab.txt': Buffer.alloc(0),
    'model.safetensors': weights,
  }
  answer = () => undefined
  requests = []
  tokens = new Set()
  cache = join(root, String(made++))
})

/** The three endpoints of the hub that the client asks: the commit, the list of files, the contents. */
function stub(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url!.split('?')[0]!
  const data = files[path.split(`/owner/name/resolve/${commit}/`)[1] ?? '']
  if (path === '/api/models/owner/name/revision/main') json(response, { _id: '1', id: 'owner/name', sha: commit })
  else if (path === `/api/models/owner/name/tree/${commit}`)
    json(
      response,
      Object.entries(files).map(([name, bytes]) => listed(name, bytes)),
    )
  else if (!data) response.writeHead(404).end()
  else if (!request.headers.range) response.writeHead(200, { etag: '"x"' }).end(data)
  else response.writeHead(206, { etag: '"x"', 'content-range': `bytes 0-0/${data.length}` }).end(data.subarray(0, 1))
}

function listed(name: string, data: Buffer): object {
  const git = createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex')
  const lfs = { oid: createHash('sha256').update(data).digest('hex'), size: data.length, pointerSize: 120 }
  return { type: 'file', path: name, size: data.length, oid: git, ...(name.endsWith('.safetensors') ? { lfs } : {}) }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

const environment = (more: Record<string, string> = {}) => {
  return { HF_HUB_CACHE: cache, HF_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ...more }
}

async function refused(id: string, pattern: RegExp, more: Record<string, string> = {}): Promise<void> {
  await assert.rejects(resolveModel(id, environment(more)), (error) => {
    assert.ok(error instanceof UserError, String((error as Error).stack))
    assert.match(error.message, pattern)
    assert.doesNotMatch(error.message, /127\.0\.0\.1|https?:/, 'no address')
    return true
  })
}

function fillCache(names: readonly string[], at = commit): string {
  const snapshot = join(cache, 'models--owner--name', 'snapshots', at)
  mkdirSync(snapshot, { recursive: true })
  mkdirSync(join(cache, 'models--owner--name', 'refs'), { recursive: true })
  writeFileSync(join(cache, 'models--owner--name', 'refs', 'main'), `${at}\n`)
  for (const name of names) writeFileSync(join(snapshot, name), files[name] ?? '{}')
  return snapshot
}

test('a folder is used as it is, without asking the hub', async () => {
  mkdirSync(cache)
  assert.equal(await resolveModel(cache, environment()), cache)
  assert.deepEqual(requests, [])
})

test('a whole cached snapshot is used without asking the hub', async () => {
  const snapshot = fillCache(['config.json', 'tokenizer.json', 'model.safetensors'])
  assert.equal(await resolveModel('owner/name', environment()), snapshot)
  assert.deepEqual(requests, [])
})

test('HF_HUB_OFFLINE: nothing is asked of the hub, and a tokenizer is not insisted on', async () => {
  for (const value of ['1', 'true', 'YES', 'on']) await refused('owner/name', /unset HF_HUB_OFFLINE/, { HF_HUB_OFFLINE: value })
  const snapshot = fillCache(['config.json', 'model.safetensors'])
  assert.equal(await resolveModel('owner/name', environment({ HF_HUB_OFFLINE: '1' })), snapshot)
  assert.deepEqual(requests, [])
  await resolveModel('owner/name', environment({ HF_HUB_OFFLINE: '0' }))
  assert.ok(requests.length > 0, 'online, the missing tokenizer is fetched')
  assert.ok(existsSync(join(snapshot, 'tokenizer.json')))
})

test('downloads what is needed into the layout of the cache', async () => {
  Object.assign(files, { 'README.md': Buffer.from('x'), 'pytorch_model.bin': Buffer.from('x'), 'model.fp16.safetensors': Buffer.from('x') })
  const notices: string[] = []
  const snapshot = await resolveModel('owner/name', environment({ HF_TOKEN: 'hf_test' }), (text) => notices.push(text))
  const home = join(cache, 'models--owner--name')
  assert.equal(snapshot, join(home, 'snapshots', commit))
  assert.deepEqual(readdirSync(snapshot).sort(), ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt'])
  for (const name of readdirSync(snapshot)) assert.deepEqual(readFileSync(join(snapshot, name)), files[name])
  assert.equal(readFileSync(join(home, 'refs', 'main'), 'utf8'), commit)
  assert.ok(lstatSync(join(snapshot, 'model.safetensors')).isSymbolicLink())
  assert.equal(realpathSync(join(snapshot, 'model.safetensors')), join(home, 'blobs', createHash('sha256').update(weights).digest('hex')))
  assert.ok(
    readdirSync(join(home, 'blobs')).every((name) => /^[0-9a-f]+$/.test(name)),
    'no unfinished files',
  )
  assert.equal(openCheckpoint(snapshot).folder, join(home, 'blobs'))
  assert.deepEqual([...tokens], ['Bearer hf_test'])
  assert.ok(notices.some((text) => /model\.safetensors of owner\/name/.test(text)))
  requests = []
  assert.equal(await resolveModel('owner/name', environment()), snapshot)
  assert.deepEqual(requests, [], 'the second time from the cache')
})

test('of a description no weights are fetched, and they are when they are asked for', async () => {
  files['model.safetensors.index.json'] = Buffer.from('{}')
  const described = await resolveModel('owner/name', environment(), undefined, 'description')
  assert.deepEqual(readdirSync(described).sort(), ['config.json', 'tokenizer.json', 'vocab.txt'])
  assert.ok(!requests.some((url) => url.includes('safetensors')), requests.join('\n'))
  requests = []
  assert.equal(await resolveModel('owner/name', environment(), undefined, 'description'), described)
  assert.deepEqual(requests, [], 'the second time from the cache')
  await refused('owner/name', /unset HF_HUB_OFFLINE/, { HF_HUB_OFFLINE: '1' })
  const whole = await resolveModel('owner/name', environment())
  assert.deepEqual(readFileSync(join(whole, 'model.safetensors')), weights)
  assert.ok(!requests.map(String).some((url) => url.endsWith('/config.json')), 'what had arrived is kept')
  requests = []
  assert.equal(await resolveModel('owner/name', environment(), undefined, 'description'), whole)
  assert.deepEqual(requests, [])
})

test('a broken or altered download leaves nothing that is taken for whole, and a second run completes it', async () => {
  const isWeights = (request: IncomingMessage) => request.url!.endsWith('/model.safetensors') && !request.headers.range
  const failures: [RegExp, (response: ServerResponse) => void][] = [
    [/arrived short or altered/, (response) => response.writeHead(200).end(weights.subarray(1))],
    [/arrived short or altered/, (response) => response.writeHead(200).end(Buffer.from(weights).fill(7))],
    [
      /broke off|connection failed/,
      (response) => {
        response.writeHead(200, { 'content-length': weights.length }).write(weights.subarray(0, 9), () => response.destroy())
      },
    ],
    [/cannot be downloaded/, (response) => response.writeHead(500).end()],
  ]
  for (const [pattern, fail] of failures) {
    answer = (request) => (isWeights(request) ? fail : undefined)
    await refused('owner/name', pattern)
    assert.ok(!existsSync(join(cache, 'models--owner--name', 'refs')))
    assert.ok(!readdirSync(join(cache, 'models--owner--name', 'blobs')).some((name) => name.endsWith('.incomplete')))
  }
  answer = () => undefined
  requests = []
  const snapshot = await resolveModel('owner/name', environment())
  assert.deepEqual(readFileSync(join(snapshot, 'model.safetensors')), weights)
  assert.ok(!requests.some((url) => url.endsWith('/config.json')), 'what had arrived is kept')
})

test('each refusal of the hub says the next step', async () => {
  for (const [code, pattern] of [
    [401, /set HF_TOKEN/],
    [403, /set HF_TOKEN/],
    [404, /no such model \(404\); check the spelling/],
    [429, /wait/],
    [503, /503; try again later/],
  ] as const) {
    answer = () => (response) => response.writeHead(code, { 'content-type': 'application/json' }).end('{"error":"no"}')
    await refused('owner/name', pattern)
  }
  answer = () => (response) => response.writeHead(200).end('<html>')
  await refused('owner/name', /not that of a hub/)
  answer = () => (response) => json(response, { sha: '../..' })
  await refused('owner/name', /names no commit/)
})

test('a hub that cannot be reached, a wrong address and a wrong token', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => closed.once('listening', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  await refused('owner/name', /connection failed \(ECONNREFUSED\); check the network and HF_ENDPOINT/, {
    HF_ENDPOINT: `http://127.0.0.1:${port}`,
  })
  await refused('owner/name', /HF_ENDPOINT is no http/, { HF_ENDPOINT: 'nonsense' })
  await refused('owner/name', /HF_TOKEN does not start with "hf_"/, { HF_TOKEN: 'secret' })
  assert.deepEqual(requests, [])
})

test('a cache that cannot be written', async () => {
  writeFileSync(cache, 'a file')
  await refused('owner/name', /cache cannot be written \(ENOTDIR\); set HF_HUB_CACHE/)
})

test('models without safetensors or without a configuration are refused before any download', async () => {
  files = { 'config.json': Buffer.from('{}'), 'pytorch_model.bin': Buffer.from('x') }
  await refused('owner/name', /no safetensors weights.*safe_serialization=True/)
  files = { 'model.safetensors': weights }
  await refused('owner/name', /no config\.json/)
  assert.ok(!existsSync(cache))
})

test('content hashes that are no hashes are refused: they become file names', async () => {
  const entries = Object.entries(files).map(([name, data]) => ({ ...listed(name, data), lfs: undefined, oid: '../../x' }))
  answer = (request) => (request.url!.includes('/tree/') ? (response) => json(response, entries) : undefined)
  await refused('owner/name', /no content hash for config\.json/)
})
