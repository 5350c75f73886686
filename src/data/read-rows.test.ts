import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { readRows } from './read-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-rows-'))
after(() => rmSync(folder, { recursive: true }))

async function read(name: string, content: string | Uint8Array) {
  const file = join(folder, name)
  writeFileSync(file, content)
  return (await readRows(file)).map(({ values, line }) => ({ line, values: [...values] }))
}
const refused = (name: string, content: string | Uint8Array, message: RegExp) =>
  assert.rejects(read(name, content), (error) => error instanceof UserError && message.test(error.message))

test('JSON lines: values keep their types, empty lines are skipped, the number of a line counts them', async () => {
  const text = '\ufeff{"text": "a\u2028b", "label": 1}\r\n\n  \n{"__proto__": {"x": 1}, "ids": [1, 2]}'
  const expected = [
    {
      line: 1,
      values: [
        ['text', 'a\u2028b'],
        ['label', 1],
      ],
    },
    {
      line: 4,
      values: [
        ['__proto__', { x: 1 }],
        ['ids', [1, 2]],
      ],
    },
  ]
  assert.deepEqual(await read('a.jsonl', text), expected)
  assert.deepEqual(await read('a.NDJSON.gz', gzipSync(text)), expected)
})

test('csv: quotes, line ends inside values, values stay strings', async () => {
  const text = '\ufefftext,label,constructor\r\n"say ""hi"", then\r\ngo",01,\r\n\r\nplain,2,x\r\n'
  const expected = [
    {
      line: 2,
      values: [
        ['text', 'say "hi", then\r\ngo'],
        ['label', '01'],
        ['constructor', ''],
      ],
    },
    {
      line: 5,
      values: [
        ['text', 'plain'],
        ['label', '2'],
        ['constructor', 'x'],
      ],
    },
  ]
  assert.deepEqual(await read('a.csv', text), expected)
  assert.deepEqual(await read('a.csv.gz', gzipSync(text)), expected)
})

test('tsv: a quote is text', async () => {
  assert.deepEqual(await read('a.tsv', 'q\ts\n"open\tit\'s, "so"\n'), [
    {
      line: 2,
      values: [
        ['q', '"open'],
        ['s', 'it\'s, "so"'],
      ],
    },
  ])
})

test('what cannot be read is refused with file, line and reason', async () => {
  await assert.rejects(readRows('nowhere/train.jsonl'), /^UserError: nowhere\/train\.jsonl: there is no such file; check the path/)
  mkdirSync(join(folder, 'folder.jsonl'))
  await assert.rejects(readRows(join(folder, 'folder.jsonl')), /^UserError: .*folder\.jsonl: it is a folder; give a file\.$/)
  await assert.rejects(readRows('a\0.jsonl'), /^UserError: "a\\u0000\.jsonl" is no file name; check the path\.$/)
  await assert.rejects(readRows('train.arrow'), /^UserError: train\.arrow: unknown kind.*\.jsonl, \.ndjson, \.csv, \.tsv.*\.gz/)
  await refused('b.jsonl', '{"a": 1}\n\n{"a": }\n', /b\.jsonl:3: not JSON \(.+\)/)
  await refused('b.jsonl', '{"a": 1}\n[1, 2]\n', /b\.jsonl:2: \[1,2\] is no JSON object/)
  await refused('b.jsonl', '\n \n', /b\.jsonl: no rows/)
  await refused('b.csv', 'text,label\n', /b\.csv: no rows.*below the header/)
  await refused('b.csv', 'text,label\n"a\nb",1\n\nc,d,2\n', /b\.csv:5: 3 columns, but the header has 2 \(text, label\)/)
  await refused('b.csv', 'text,label\r\n"a\r\nb",1\r\n\r\nc "d,2\r\n', /b\.csv:5: .*quote/)
  await refused('b.tsv', 'text\ttext\na\tb\n', /b\.tsv: the header names column "text" twice/)
  await refused('b.csv', Uint8Array.from([0x61, 0x0a, 0xe9, 0x0a]), /b\.csv: not UTF-8/)
  const zipped = gzipSync('{"a": 1}\n'.repeat(1000))
  await refused('c.jsonl.gz', zipped.subarray(0, zipped.length - 12), /c\.jsonl\.gz: not a whole gzip file/)
  await refused('c.csv.gz', gzipSync('a,b\n1,2\n'.repeat(1000)).subarray(0, 40), /c\.csv\.gz: not a whole gzip file/)
  await refused('c.jsonl.gz', '{"a": 1}\n', /c\.jsonl\.gz: not a whole gzip file/)
})

test('csv: semicolons or tabs separate columns where the header has no comma', async () => {
  const first = async (name: string, content: string) => Object.fromEntries((await read(name, content))[0]!.values)
  const expected = { 'a, b': 'x;y', label: '1,5' }
  assert.deepEqual(await first('s.csv', '"a, b";label\n"x;y";1,5\n'), expected)
  assert.deepEqual(await first('t.csv', '\n"a, b"\tlabel\r\n"x;y"\t1,5\r\n'), expected)
  assert.deepEqual(await first('c.csv', 'a;b,label\nx;y,1\n'), { 'a;b': 'x;y', label: '1' })
  assert.deepEqual(await first('o.csv', 'text\nx;y\n'), { text: 'x;y' })
})

test('csv and JSON lines give back what was written', async () => {
  const table = fc.array(fc.record({ a: fc.string({ unit: 'grapheme' }), b: fc.string(), c: fc.string() }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
      const csv = ['a,b,c', ...rows.map((row) => [row.a, row.b, row.c].map(quoted).join(','))].join('\n')
      const expected = rows.map(({ a, b, c }) => [
        ['a', a],
        ['b', b],
        ['c', c],
      ])
      assert.deepEqual(
        (await read('p.csv', csv)).map((row) => row.values),
        expected,
      )
      const lines = rows.map((row) => JSON.stringify(row)).join('\n')
      assert.deepEqual(
        (await read('p.jsonl', lines)).map((row) => row.values),
        expected,
      )
    }),
    { numRuns: 30 },
  )
})

test('a .json file holds a list of objects, or paragraphs with questions; anything else is refused', async () => {
  const file = join(folder, 'rows.json')
  const read = async (value: unknown): Promise<unknown[]> => {
    writeFileSync(file, JSON.stringify(value))
    return (await readRows(file)).map(({ values, line }) => [line, Object.fromEntries(values)])
  }
  assert.deepEqual(await read([{ a: 1 }, { a: 'two' }]), [
    [1, { a: 1 }],
    [2, { a: 'two' }],
  ])
  const paragraphs = [
    { context: 'c', qas: [{ id: 'x', question: 'q' }] },
    { context: 'd', qas: [{ question: 'r' }, { question: 's' }] },
  ]
  assert.deepEqual(await read({ data: [{ title: 't', paragraphs }] }), [
    [1, { title: 't', context: 'c', id: 'x', question: 'q' }],
    [2, { title: 't', context: 'd', question: 'r' }],
    [3, { title: 't', context: 'd', question: 's' }],
  ])
  for (const wrong of [{ rows: [] }, [1], 'text']) await assert.rejects(read(wrong), /UserError: .*rows\.json: expected a list of objects/)
  await assert.rejects(read([]), /no rows/)
})
