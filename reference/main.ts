/** Writes the parts of the documents that are made from the sources. Usage: npm run docs */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pages, renewed } from './pages.ts'

const root = resolve(import.meta.dirname, '..')
for (const page of pages) {
  const file = join(root, page)
  const text = readFileSync(file, 'utf8')
  const made = await renewed(page, text)
  if (made === text) continue
  writeFileSync(file, made)
  console.log(`${page} is renewed`)
}
