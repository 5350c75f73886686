import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { type Fields, readFields, readJson } from '../json-file.ts'
import { plainVocabularies } from './plain-vocabularies.ts'
import { sentencePiece } from './sentencepiece.ts'
import { tokenizerConfig, type VocabularyFiles } from './vocabulary-files.ts'

/** By `model_type`. */
const vocabularies: Readonly<Record<string, VocabularyFiles>> = { ...plainVocabularies, ...sentencePiece }

export const instead = 'Rows may also carry "input_ids", which need no tokenizer.'

/** A tokenizer.json, and the file that it is or was made of. */
export interface TokenizerFile {
  readonly file: string
  readonly json: unknown
}

/** The object of a JSON file in a folder; empty where there is no such file. */
export function readSettings(folder: string, name: string): Fields {
  const file = join(folder, name)
  return existsSync(file) ? readFields(file) : {}
}

function fromVocabulary(folder: string, { files, read }: VocabularyFiles): TokenizerFile {
  const paths = files.map((name) => join(folder, name))
  const config = tokenizerConfig.safeParse(readSettings(folder, 'tokenizer_config.json'))
  if (!config.success) throw new UserError(`${join(folder, 'tokenizer_config.json')}: ${z.prettifyError(config.error)}.`)
  const file = paths[0]!
  const contents = paths.map((path) => explained(path, () => readFileSync(path)))
  try {
    return { file, json: read(contents, config.data) }
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new UserError(`${file}: not a vocabulary this version can read (${why}). ${instead}`)
  }
}

/**
 * The tokenizer.json of a model folder, or what Hugging Face would make of the vocabulary files that the folder has in its place.
 * @throws UserError where there is none, or one that cannot be read
 */
export function tokenizerJson(folder: string): TokenizerFile {
  const file = join(folder, 'tokenizer.json')
  if (existsSync(file)) return { file, json: readJson(file) }
  const { model_type: type } = readSettings(folder, 'config.json')
  const own = typeof type === 'string' && Object.hasOwn(vocabularies, type) ? vocabularies[type]! : null
  if (own?.files.every((name) => existsSync(join(folder, name)))) return fromVocabulary(folder, own)
  const other = own ? ` and no ${own.files.join(' with ')}` : ''
  throw new UserError(`${folder}: no tokenizer.json${other}, so texts cannot be tokenised. ${instead}`)
}
