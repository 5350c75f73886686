/** Where an encoded graph can run. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const
export type Device = (typeof devices)[number]
/** What may be asked for; `auto` is the fastest of those that are there. */
export const deviceChoices = [...devices, 'auto'] as const
export type DeviceChoice = (typeof deviceChoices)[number]

/**
 * Operators on batches of numbers that ONNX Runtime cannot run on a device: it would run them on the processor, and move what they read and
 * make between the two. Or it gets them wrong: WebGPU's SimplifiedLayerNormalization tells the mean in place of the inverse root.
 */
export const lacking: Readonly<Record<Device, ReadonlySet<string>>> = {
  cpu: new Set(),
  webgpu: new Set(['FusedMatMul', 'LogSoftmax', 'Sum', 'ConstantOfShape', 'SimplifiedLayerNormalization']),
  cuda: new Set(),
}

/** The most results that a Split may have; WebGPU promises eight buffers to a kernel, and one is read. */
export const mostParts: Readonly<Record<Device, number>> = { cpu: Number.POSITIVE_INFINITY, webgpu: 7, cuda: Number.POSITIVE_INFINITY }
