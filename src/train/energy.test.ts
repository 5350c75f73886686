import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { energyMeter, energyOf, WATTS_OF_A_CORE } from './energy.ts'

test('joules of all packages are added up, those of their parts left out, over counters that start anew', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'powercap-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const reads = (name: string, microjoules: number): void => {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'energy_uj'), `${microjoules}\n`)
    writeFileSync(join(folder, name, 'max_energy_range_uj'), '10000000\n')
  }
  mkdirSync(join(folder, 'intel-rapl'))
  reads('intel-rapl:0', 9_000_000)
  reads('intel-rapl:1', 0)
  reads('intel-rapl:0:0', 0)
  const joules = energyMeter(folder)!
  assert.equal(joules(), 0)
  reads('intel-rapl:1', 500_000)
  assert.equal(joules(), 0.5)
  reads('intel-rapl:0', 2_000_000)
  reads('intel-rapl:0:0', 7_000_000)
  assert.equal(joules(), 3.5)
  assert.equal(joules(), 3.5)
})

test('nothing is read where there are no counters, or what is in them is no number', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'powercap-'))
  t.after(() => rmSync(folder, { recursive: true }))
  assert.equal(energyMeter(join(folder, 'nowhere')), null)
  assert.equal(energyMeter(folder), null)
  mkdirSync(join(folder, 'intel-rapl:0'))
  assert.equal(energyMeter(folder), null)
  writeFileSync(join(folder, 'intel-rapl:0', 'energy_uj'), '')
  assert.equal(energyMeter(folder), null)
})

test('what was not read is estimated from processor time', () => {
  assert.deepEqual(energyOf({ joules: 7, cpuSeconds: 3 }), { joules: 7, estimated: false })
  assert.deepEqual(energyOf({ cpuSeconds: 3 }), { joules: 3 * WATTS_OF_A_CORE, estimated: true })
})
