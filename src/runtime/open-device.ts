import * as ort from 'onnxruntime-node'
import { UserError } from '../errors.ts'
import { constant, createGraph, type Graph, input, output } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { type Device, type DeviceChoice, devices } from '../onnx/devices.ts'
import { openSession } from './node.ts'

const ROWS = 256
const WIDTH = 512
/** `auto` leaves the processor only for what is so many times as fast: a step is more than its products. */
const WORTH = 2
/** Milliseconds for half a billion multiplications. */
const SLOW = 100

/** A few products, one after another, as large as those of a small model. */
function products(): Graph {
  const graph = createGraph()
  const weight = constant(graph, new Float32Array(WIDTH ** 2).fill(1 / WIDTH), [WIDTH, WIDTH], 'float32')
  let x = input(graph, 'x', 'float32', [ROWS, WIDTH])
  for (let i = 0; i < 4; i++) x = gemm(x, weight)
  output(graph, 'sum', reduceSum(x))
  return graph
}

/** How many milliseconds a few products take on a device, once its kernels are made. */
async function timed(device: Device): Promise<number> {
  const session = await openSession(products(), { device })
  const x = { data: new Float32Array(ROWS * WIDTH).fill(1), shape: [ROWS, WIDTH] }
  const times: number[] = []
  try {
    // A device that is slow once its kernels are made is not worth more rounds.
    while (times.length < 2 || (times.length < 5 && times.at(-1)! < SLOW)) {
      const start = performance.now()
      await session.run({ x })
      times.push(performance.now() - start)
    }
  } finally {
    await session.close()
  }
  return Math.min(...times.slice(1))
}

/** What a device needs. */
const needs: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  webgpu: 'a graphics processor with a driver for Vulkan (on Linux, see vulkaninfo --summary), Direct3D 12 (Windows) or Metal (macOS)',
  cuda:
    'Linux on x64, a driver of NVIDIA, CUDA 12, cuDNN 9, and a part of ONNX Runtime that only its install script brings: ' +
    'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false',
}

/** The part of the engine's message that tells why. */
const reason = ({ message }: Error): string => (/Failed .*/.exec(message)?.[0] ?? message).replace(/[.\s]+$/, '')

async function assertOpens(device: Exclude<Device, 'cpu'>): Promise<void> {
  try {
    await (await openSession(products(), { device })).close()
  } catch (error) {
    throw new UserError(
      `The device ${device} cannot be opened: ${reason(error as Error)}. It needs ${needs[device]}. Or take the device cpu.`,
    )
  }
}

interface Fastest {
  readonly device: Device
  /** What was tried. */
  readonly tried: string
}

async function findFastest(): Promise<Fastest> {
  const { logLevel } = ort.env
  // What is not there is no error.
  ort.env.logLevel = 'fatal'
  const times = new Map<Device, number>()
  try {
    for (const device of devices) times.set(device, await timed(device).catch(() => Number.POSITIVE_INFINITY))
  } finally {
    ort.env.logLevel = logLevel
  }
  const cost = (device: Device): number => times.get(device)! * (device === 'cpu' ? 1 : WORTH)
  const tried = devices.map(
    (device) => `${device} ${Number.isFinite(times.get(device)) ? `${times.get(device)!.toFixed(1)} ms` : 'not there'}`,
  )
  return { device: devices.reduce((best, device) => (cost(device) < cost(best) ? device : best)), tried: tried.join(', ') }
}

let fastest: Promise<Fastest> | null = null

/**
 * Finds the device that is asked for and tries it, before anything else is done. The fastest is the same for the whole process.
 * @throws UserError where it cannot be opened
 */
export async function openDevice(choice: DeviceChoice, notice: (text: string) => void = () => {}): Promise<Device> {
  if (choice === 'auto') {
    fastest ??= findFastest()
    const { device, tried } = await fastest
    notice(`The device is ${device} (a few products: ${tried}).`)
    return device
  }
  if (choice !== 'cpu') await assertOpens(choice)
  return choice
}
