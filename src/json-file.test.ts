import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../test/behaviour/tiny-model.ts'
import { readFields, readJson } from './json-file.ts'

const folder = temporaryFolder()

function holding(text: string): string {
  const file = join(folder, 'given.json')
  writeFileSync(file, text)
  return file
}

test('a JSON file gives its value, or its object where one is asked for', () => {
  assert.deepEqual(readJson(holding('[1, {"a": null}]')), [1, { a: null }])
  assert.deepEqual(readFields(holding('{"a": [1]}')), { a: [1] })
})

test('what cannot be read is refused by name and reason, with what to do', () => {
  const refused = (file: string, message: RegExp): void => assert.throws(() => readFields(file), { name: 'UserError', message })
  refused(join(folder, 'none.json'), /none\.json: there is no such file; check the path/)
  refused(folder, /: it is a folder; give a file\.$/)
  refused('a\0b', /"a\\u0000b" is no file name; check the path\.$/)
  refused(holding('{'), /given\.json is not JSON \(.+\); copy or download it again\.$/)
  refused(holding('[]'), /given\.json does not hold a JSON object; copy or download it again\.$/)
})
