import { createLogUpdate } from 'log-update'
import { count } from './numbers.ts'

/** Lines that stay, and a part below them that is written over; nothing of it off a terminal. */
export interface Screen {
  readonly live: boolean
  line(text: string): void
  show(block: string): void
  close(keep: boolean): void
}

// Names out of files may hold anything; a terminal would obey it.
const plain = (text: string): string => text.replace(/(?!\n)\p{Cc}/gu, '�')

export function openScreen(stream: NodeJS.WriteStream): Screen {
  if (!stream.isTTY) return { live: false, line: (text) => void stream.write(`${plain(text)}\n`), show: () => {}, close: () => {} }
  // To hide the cursor would bring in handlers of signals; those are the command line's own.
  const log = createLogUpdate(stream, { showCursor: true })
  let shown = ''
  return {
    live: true,
    line(text) {
      log.persist(plain(text))
      if (shown) log(shown)
    },
    show(block) {
      shown = block
      log(block)
    },
    close(keep) {
      if (!shown) return
      if (!keep) log.clear()
      log.done()
      shown = ''
    },
  }
}

/** `████░░░░  640/872 rows` */
export const progressText = (done: number, of: number, things: string, { columns = 80 }: { readonly columns?: number }): string =>
  `${bar(done / of, columns)}  ${count(done)}/${count(of)} ${things}`

/** A share of a whole, for a screen of so many columns. */
export function bar(share: number, columns: number): string {
  const width = Math.max(8, Math.min(40, columns - 36))
  const full = Math.round(Math.min(1, share) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
