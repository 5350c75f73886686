import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../cli/project.ts'

/** A document of the repository. */
export const document = (name: string): string => readFileSync(join(repository, name), 'utf8')

/** The fenced blocks of a language, in order. */
export const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, body]) => body!)

/** The fenced blocks of a language that name a file behind it, with that name. */
export const namedBlocks = (text: string, language: string): { readonly name: string; readonly body: string }[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language} (\\S+\\.\\w+)\n(.*?)\`\`\``, 'gs'))].map(([, name, body]) => ({
    name: name!,
    body: body!,
  }))
