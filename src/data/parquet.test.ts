import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { UserError } from '../errors.ts'
import { readRows } from './read-rows.ts'

const golden = join(import.meta.dirname, '../../test/golden/parquet')
const folder = mkdtempSync(join(tmpdir(), 'adatune-parquet-'))
after(() => rmSync(folder, { recursive: true }))

const valuesOf = async (file: string) => (await readRows(file)).map(({ values, line }) => ({ line, values: [...values] }))
const bytes = readFileSync(join(golden, 'zstd-groups.parquet'))
function spoilt(name: string, change: (bytes: Buffer) => Uint8Array): string {
  const file = join(folder, name)
  writeFileSync(file, change(Buffer.from(bytes)))
  return file
}

for (const name of readdirSync(golden).filter((entry) => entry.endsWith('.parquet'))) {
  test(`${name} has the rows of the same data in JSON lines`, async () => {
    assert.deepEqual(await valuesOf(join(golden, name)), await valuesOf(join(golden, 'rows.jsonl')))
  })
}

test('a file cut short anywhere is refused with a sentence', async () => {
  for (let end = 0; end < bytes.length; end += 97) {
    const file = spoilt('cut.parquet', (whole) => whole.subarray(0, end))
    await assert.rejects(
      readRows(file),
      (error) => error instanceof UserError && error.message.startsWith(`${file}: not a whole parquet file (`),
    )
  }
})

test('a file with wrong bytes gives rows or a sentence', async () => {
  for (let at = 4; at < bytes.length; at += 61) {
    const file = spoilt('wrong.parquet', (whole) => {
      whole[at]! ^= 0x55
      return whole
    })
    await readRows(file).catch((error: unknown) => assert.ok(error instanceof UserError, String(error)))
  }
})

test('other files of that name, and those that are not there', async () => {
  const refused = (file: string, message: RegExp) =>
    assert.rejects(readRows(file), (error) => error instanceof UserError && message.test(error.message))
  await refused(
    spoilt('text.parquet', () => Buffer.from('{"text": "a"}\n')),
    /text\.parquet: not a whole parquet file/,
  )
  await refused(
    spoilt('a.parquet.gz', (whole) => whole),
    /unzip it first/,
  )
  await refused(join(folder, 'none.parquet'), /none\.parquet: there is no such file; check the path/)
  await refused(folder, /unknown kind of data file\. Known endings: .*\.parquet, all but parquet also with \.gz/)
})
