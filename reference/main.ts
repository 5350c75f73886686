/** Writes the parts of the documents that are made from the sources, and their drawings. Usage: npm run docs */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pages, renewed } from './pages.ts'
import { performanceDrawings } from './performance.ts'

const root = resolve(import.meta.dirname, '..')
for (const page of pages) {
  const file = join(root, page)
  const text = readFileSync(file, 'utf8')
  const made = await renewed(page, text)
  if (made === text) continue
  writeFileSync(file, made)
  console.log(`${page} is renewed`)
}

const drawings = join(root, 'docs/performance')
rmSync(drawings, { recursive: true, force: true })
mkdirSync(drawings)
for (const [name, drawing] of Object.entries(performanceDrawings())) writeFileSync(join(drawings, name), drawing)
