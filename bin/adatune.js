#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
const main = new URL('../dist/cli/main.js', import.meta.url)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`adatune needs Node.js 20.19 or newer; this is ${process.versions.node}.`)
  process.exitCode = 2
} else if (!existsSync(main)) {
  console.error('adatune is not built yet. Run this in its folder, then try again:\n\n  npm run build')
  process.exitCode = 2
} else {
  // Compiled modules are kept between commands, where Node.js can (22.1 and later).
  module.enableCompileCache?.()
  const { main: run } = await import(main.href)
  process.exitCode = await run(process.argv.slice(2))
}
