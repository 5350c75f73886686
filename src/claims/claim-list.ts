import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { didYouMean, UserError } from '../errors.ts'
import { packageFile } from '../package.ts'
import { table } from '../track/table.ts'
import { type Claim, type ClaimReading, readClaim, readTold, type Told } from './claim-file.ts'

const folder = packageFile('../recipes/claims')

/** The names of all claims. */
export const claimNames = (): string[] =>
  readdirSync(folder)
    .flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort()

const fileOf = (name: string): string => join(folder, `${name}.yaml`)

/** A claim by its name, or by a file of one's own. Throws UserError with the names that there are. */
export function openClaim(name: string, reading: ClaimReading = {}): Claim {
  if (/\.(ya?ml|json)$/.test(name)) return readClaim(name, reading)
  if (existsSync(fileOf(name))) return readClaim(fileOf(name), reading)
  const known = claimNames()
  throw new UserError(`No claim is called "${name}"; there are ${known.join(', ')}.${didYouMean(name, known)}`)
}

/** What the paper says of a claim, and how that was published. */
export const toldOf = (name: string): Told => readTold(fileOf(name))

/** All claims with what their files say of the papers. */
export const claimsTold = (): (Told & { readonly name: string })[] => claimNames().map((name) => ({ name, ...toldOf(name) }))

/** Claims with what is published of them; ends in a line break. */
export function listText(claims: ReturnType<typeof claimsTold>): string {
  return claims
    .map(({ name, claim, paper, source, figures }) => {
      const lines = table(
        [
          ['  claim', claim],
          ['  published', figures.join('; ')],
          ['  source', `${paper}, ${source}`],
        ],
        { header: false, align: ['left', 'left'] },
      )
      return `${name}\n${lines}`
    })
    .join('\n')
}
