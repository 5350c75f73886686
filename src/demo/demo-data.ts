import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeText } from '../weights/atomic-file.ts'
import { makeFolder } from '../weights/file-access.ts'
import { type MailPart, mail } from './mail.ts'

/** The mails that the demo trains and scores on. */
export interface DemoData {
  readonly train: string
  readonly eval: string
}

async function written(file: string, part: MailPart, count: number): Promise<string> {
  if (existsSync(file)) return file
  const lines: string[] = []
  for await (const { sender, text, label } of mail(part, count)) {
    lines.push(`${JSON.stringify({ text: `${sender} ${text}`.trim(), label })}\n`)
  }
  writeText(file, lines.join(''))
  return file
}

/** Writes mails, the sender first, as data files of a run, once; fetches the corpus where it is not in the cache. */
export async function demoData(folder: string, counts: { readonly train: number; readonly eval: number }): Promise<DemoData> {
  makeFolder(folder)
  return {
    train: await written(join(folder, `train-${counts.train}.jsonl`), 'train', counts.train),
    eval: await written(join(folder, `test-${counts.eval}.jsonl`), 'test', counts.eval),
  }
}
