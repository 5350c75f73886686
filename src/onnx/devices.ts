/** Where an encoded graph can run. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const
export type Device = (typeof devices)[number]
/** What may be asked for; `auto` is the fastest of those that are there. */
export const deviceChoices = [...devices, 'auto'] as const
export type DeviceChoice = (typeof deviceChoices)[number]

/**
 * Operators on batches of numbers that ONNX Runtime cannot run on a device. It would run them on the processor, and move what they read and
 * make between the two.
 */
export const lacking: Readonly<Record<Device, ReadonlySet<string>>> = {
  cpu: new Set(),
  webgpu: new Set(['FusedMatMul', 'LogSoftmax', 'Sum', 'ConstantOfShape']),
  cuda: new Set(),
}
