import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
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

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${(error as Error).message}).`)
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${file}: cannot be read (${(error as Error).message}).`)
  }
}

/** A JSON object of a folder; empty where there is none. */
export function readSettings(folder: string, name: string): Record<string, unknown> {
  const file = join(folder, name)
  const parsed = z.looseObject({}).safeParse(existsSync(file) ? readJson(file) : {})
  return parsed.data ?? {}
}

function fromVocabulary(folder: string, { files, read }: VocabularyFiles): TokenizerFile {
  const paths = files.map((name) => join(folder, name))
  const config = tokenizerConfig.safeParse(readSettings(folder, 'tokenizer_config.json'))
  if (!config.success) throw new UserError(`${join(folder, 'tokenizer_config.json')}: ${z.prettifyError(config.error)}.`)
  const file = paths[0]!
  try {
    const contents = paths.map((path) => readFileSync(path))
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
