import type { Command } from 'commander'

/** Gives a command its arguments, its options and what it does; `exit` takes the exit code where it may be another than 0. */
export type Define = (command: Command, exit: (code: number) => void) => void

interface CommandEntry {
  readonly about: string
  /** What the command needs is loaded when it is called, and not before: libraries take longer to load than a short answer to make. */
  readonly load: () => Promise<Define>
}

/** Every command by its name, in the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  train: { about: 'fine-tune as a run file says, or go on with a run', load: async () => (await import('./train.ts')).defineTrain },
  compare: {
    about: 'train several methods on one task and tell which is better; called again, it goes on where it was',
    load: async () => (await import('./compare.ts')).defineCompare,
  },
  claims: {
    about: 'list what the papers claim, or try a claim; called again, it goes on where it was',
    load: async () => (await import('./claims.ts')).defineClaims,
  },
  eval: { about: 'metrics on labelled rows', load: async () => (await import('./eval.ts')).defineEval },
  predict: { about: 'answer rows, or one text', load: async () => (await import('./predict.ts')).definePredict },
  generate: {
    about: 'write texts: answers to rows or one text, or what follows a prompt',
    load: async () => (await import('./generate.ts')).defineGenerate,
  },
  chat: { about: 'talk with a model, line by line', load: async () => (await import('./chat.ts')).defineChat },
  inspect: {
    about: 'weights, operations and targets of a model and method; a config.json is enough',
    load: async () => (await import('./inspect.ts')).defineInspect,
  },
  merge: {
    about: 'fold an adapter into its model: an ordinary Hugging Face folder',
    load: async () => (await import('./foldings.ts')).defineMerge,
  },
  unmerge: {
    about: 'take an adapter out of a model that it was merged into',
    load: async () => (await import('./foldings.ts')).defineUnmerge,
  },
  convert: {
    about: 'an adapter as plain LoRA: AdaLoRA, and what acts on parts of a map',
    load: async () => (await import('./foldings.ts')).defineConvert,
  },
  extract: {
    about: 'a LoRA of what training changed between two models',
    load: async () => (await import('./extract.ts')).defineExtract,
  },
  combine: { about: 'several adapters of one model as one', load: async () => (await import('./combine.ts')).defineCombine },
  demo: {
    about: 'fine-tune a small model on mail by six methods and compare them; takes minutes',
    load: async () => (await import('./demo.ts')).defineDemo,
  },
  schema: { about: 'JSON Schema of run files, for editors', load: async () => (await import('./schema.ts')).defineSchema },
}
