/** A post-processor of tokenizer.json for texts laid out as `[CLS] $A [SEP] $B:1 [SEP]:1`; what follows a colon is a token type. */
export function template(single: string, pair: string, idOf: (token: string) => number): object {
  const pieceOf = (text: string): object => {
    const [, name = '', type = '0'] = /^(.*?)(?::(\d))?$/.exec(text)!
    return name.startsWith('$')
      ? { Sequence: { id: name.slice(1), type_id: Number(type) } }
      : { SpecialToken: { id: name, type_id: Number(type) } }
  }
  const names = `${single} ${pair}`
    .split(' ')
    .filter((text) => !text.startsWith('$'))
    .map((text) => text.replace(/:\d$/, ''))
  return {
    type: 'TemplateProcessing',
    single: single.split(' ').map(pieceOf),
    pair: pair.split(' ').map(pieceOf),
    special_tokens: Object.fromEntries([...new Set(names)].map((name) => [name, { id: name, ids: [idOf(name)], tokens: [name] }])),
  }
}
