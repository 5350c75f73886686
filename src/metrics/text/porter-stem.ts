type Rules = readonly (readonly [suffix: string, replacement: string])[]

const IRREGULAR: Readonly<Record<string, string>> = {
  skies: 'sky',
  sky: 'sky',
  dying: 'die',
  lying: 'lie',
  tying: 'tie',
  news: 'news',
  innings: 'inning',
  inning: 'inning',
  outings: 'outing',
  outing: 'outing',
  cannings: 'canning',
  canning: 'canning',
  howe: 'howe',
  proceed: 'proceed',
  exceed: 'exceed',
  succeed: 'succeed',
}

const STEP_1A: Rules = [
  ['sses', 'ss'],
  ['ies', 'i'],
  ['ss', 'ss'],
  ['s', ''],
]

const STEP_2: Rules = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'],
]

const STEP_3: Rules = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
]

const STEP_4: Rules = 'al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize'
  .split(' ')
  .map((suffix) => [suffix, ''] as const)

/** Of each letter, whether it is a consonant; `y` is one at the start and after a vowel. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = []
  for (const letter of word.split('')) flags.push(letter === 'y' ? flags.at(-1) !== true : !'aeiou'.includes(letter))
  return flags
}

/** The paper's m: how often a consonant follows a vowel. */
const measure = (stem: string): number => consonants(stem).filter((consonant, i, all) => consonant && all[i - 1] === false).length

const endsInDoubleConsonant = (word: string): boolean => word.at(-1) === word.at(-2) && consonants(word).at(-1) === true

/** Consonant, vowel, consonant other than w, x and y; or a whole word of vowel and consonant. */
function endsShort(word: string): boolean {
  const [third, second, last] = consonants(word).slice(-3)
  if (word.length === 2) return !third! && second!
  return word.length > 2 && third! && !second! && last! && !/[wxy]$/.test(word)
}

/** The first rule whose suffix the word has is the only one tried. */
function apply(rules: Rules, word: string, holds: (stem: string, suffix: string) => boolean = () => true): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix))
  if (!rule) return word
  const stem = word.slice(0, -rule[0].length)
  return holds(stem, rule[0]) ? stem + rule[1] : word
}

function pluralOff(word: string): string {
  return word.length === 4 && word.endsWith('ies') ? word.slice(0, -1) : apply(STEP_1A, word)
}

function pastOff(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2)
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word
  const stem = /^(.*)(?:ed|ing)$/s.exec(word)?.[1]
  if (stem === undefined || consonants(stem).every(Boolean)) return word
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`
  if (endsInDoubleConsonant(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1)
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem
}

function finalY(word: string): string {
  const stem = word.slice(0, -1)
  return word.endsWith('y') && stem.length > 1 && consonants(stem).at(-1) ? `${stem}i` : word
}

function doubleSuffixOff(word: string): string {
  const stem = word.slice(0, -4)
  if (word.endsWith('alli') && measure(stem) > 0) return doubleSuffixOff(`${stem}al`)
  if (word.endsWith('logi')) return measure(`${stem}l`) > 0 ? word.slice(0, -1) : word
  return apply(STEP_2, word, (before) => measure(before) > 0)
}

function finalE(word: string): string {
  if (!word.endsWith('e')) return word
  const stem = word.slice(0, -1)
  return measure(stem) > 1 || (measure(stem) === 1 && !endsShort(stem)) ? stem : word
}

/**
 * The stem of a word in lower case: Porter, "An algorithm for suffix stripping" (1980), with the changes of NLTK's default mode, which
 * rouge-score uses: some irregular forms, `ies` and `ied` of four letters, `y` after any consonant, `fulli` and `logi`.
 * Words of one or two letters are their own stem.
 */
export function porterStem(word: string): string {
  if (Object.hasOwn(IRREGULAR, word)) return IRREGULAR[word]!
  if (word.length <= 2) return word
  let stem = doubleSuffixOff(finalY(pastOff(pluralOff(word))))
  stem = apply(STEP_3, stem, (before) => measure(before) > 0)
  stem = apply(STEP_4, stem, (before, suffix) => measure(before) > 1 && (suffix !== 'ion' || /[st]$/.test(before)))
  stem = finalE(stem)
  return stem.endsWith('ll') && measure(stem.slice(0, -1)) > 1 ? stem.slice(0, -1) : stem
}
