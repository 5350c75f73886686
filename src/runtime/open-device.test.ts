import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ort from 'onnxruntime-node'
import { UserError } from '../errors.ts'
import { openDevice } from './open-device.ts'

// No driver is found here, whatever the machine has.
process.env.VK_ICD_FILENAMES = '/nothing'
process.env.VK_DRIVER_FILES = '/nothing'
const skip = process.platform === 'linux' ? false : 'drivers are hidden by the variables of Vulkan'

test('a device that is not there is refused with what it needs', { skip }, async () => {
  await assert.rejects(openDevice('webgpu'), (error) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /^The device webgpu cannot be opened: .*[^.]\. It needs .*vulkaninfo.*take the device cpu\.$/)
    return true
  })
})

test('auto is the processor where nothing faster is there, and tells what was tried', { skip }, async () => {
  const notices: string[] = []
  const { logLevel } = ort.env
  const device = await openDevice('auto', (text) => notices.push(text))
  assert.equal(ort.env.logLevel, logLevel)
  if (device !== 'cuda') assert.equal(device, 'cpu')
  assert.match(
    notices.join('\n'),
    new RegExp(`^The device is ${device} \\(a few products: cpu [\\d.]+ ms, webgpu not there, cuda .*\\)\\.$`),
  )
})

test('the processor is taken at its word', async () => {
  assert.equal(await openDevice('cpu', assert.fail), 'cpu')
})
