import { elementCount } from '../nn/tensor.ts'
import { normals, uniforms } from '../random/draws.ts'
import type { Key } from '../random/key.ts'

type Init = (key: Key) => Float32Array

/** All zeros. */
export const zeros =
  (shape: readonly number[]): Init =>
  () =>
    new Float32Array(elementCount(shape))

/** The same number everywhere. */
export const constants =
  (shape: readonly number[], value: number): Init =>
  () =>
    new Float32Array(elementCount(shape)).fill(value)

/** Normal with mean 0. */
export const normal =
  (shape: readonly number[], deviation: number): Init =>
  (key) =>
    normals(elementCount(shape), key, { mean: 0, deviation })

/** Uniform between -limit and limit. */
export const uniform =
  (shape: readonly number[], limit: number): Init =>
  (key) =>
    uniforms(elementCount(shape), key, { low: -limit, high: limit })

/** Kaiming-uniform with a = √5 as torch's Linear has it: U(-1/√in, 1/√in) for `[out, in]`. */
export const kaimingUniform = (shape: readonly [number, number]): Init => uniform(shape, 1 / Math.sqrt(shape[1]))
