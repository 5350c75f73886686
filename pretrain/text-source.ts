import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataPackage, dataPackage } from '../src/demo/data-package.ts'

/** A part of the corpus: its texts, each a line. */
export interface TextSource {
  readonly name: string
  /** Whose texts these are and on what terms. */
  readonly licence: string
  readonly texts: () => AsyncGenerator<string>
}

const inOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
export const filesOf = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
export const read = (...path: string[]): string => readFileSync(join(...path), 'utf8')

/** A source whose texts are in the files of a package. */
export const packaged = (
  about: Pick<TextSource, 'name' | 'licence'>,
  data: DataPackage,
  textsIn: (folder: string) => Iterable<string>,
): TextSource => ({
  ...about,
  async *texts() {
    for (const text of textsIn(await dataPackage(data))) yield inOneLine(text)
  },
})
