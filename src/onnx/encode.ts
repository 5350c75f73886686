import { basename } from 'node:path'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { Attribute, Graph, Node, Value } from '../graph/graph.ts'
import { onnxType } from '../graph/ops/elementwise.ts'
import { liveNodes } from './live.ts'

const OPSET = 21
const IR_VERSION = 10

/** Numbers of fields in `onnx.proto`, by message: a library of its schema takes longer to load than all else that a session needs. */
const fields = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, f: 2, i: 3, s: 4, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1, type: 2 },
  type: { tensorType: 1, sequenceType: 4 },
  sequenceType: { elemType: 1 },
  tensorType: { elemType: 1, shape: 2 },
  shape: { dim: 1 },
  dimension: { dimValue: 1, dimParam: 2 },
} as const
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const
const EXTERNAL = 1

const text = (to: BinaryWriter, field: number, value: string): void => void to.tag(field, WireType.LengthDelimited).string(value)
const whole = (to: BinaryWriter, field: number, value: number): void => void to.tag(field, WireType.Varint).int32(value)
const float = (to: BinaryWriter, field: number, value: number): void => void to.tag(field, WireType.Bit32).float(value)
const bytes = (to: BinaryWriter, field: number, value: Uint8Array): void => void to.tag(field, WireType.LengthDelimited).bytes(value)
function message(to: BinaryWriter, field: number, write: () => void): void {
  to.tag(field, WireType.LengthDelimited).fork()
  write()
  to.join()
}

function writeAttribute(to: BinaryWriter, name: string, value: Attribute): void {
  const { attribute } = fields
  text(to, attribute.name, name)
  if (typeof value === 'number') {
    whole(to, attribute.type, attributeType.float)
    float(to, attribute.f, value)
  } else if (typeof value === 'string') {
    whole(to, attribute.type, attributeType.string)
    text(to, attribute.s, value)
  } else if ('int' in value) {
    whole(to, attribute.type, attributeType.int)
    whole(to, attribute.i, value.int)
  } else {
    whole(to, attribute.type, attributeType.ints)
    for (const each of value) whole(to, attribute.ints, each)
  }
}

function writeValueInfo(to: BinaryWriter, name: string, { dtype, shape }: Value): void {
  text(to, fields.valueInfo.name, name)
  message(to, fields.valueInfo.type, () =>
    message(to, fields.type.tensorType, () => {
      whole(to, fields.tensorType.elemType, onnxType[dtype])
      message(to, fields.tensorType.shape, () => {
        for (const size of shape)
          message(to, fields.shape.dim, () => {
            if (typeof size === 'number') whole(to, fields.dimension.dimValue, size)
            else text(to, fields.dimension.dimParam, size)
          })
      })
    }),
  )
}

/** A sequence of tensors. */
function writeSequenceInfo(to: BinaryWriter, name: string): void {
  text(to, fields.valueInfo.name, name)
  message(to, fields.valueInfo.type, () =>
    message(to, fields.type.sequenceType, () =>
      message(to, fields.sequenceType.elemType, () =>
        message(to, fields.type.tensorType, () => whole(to, fields.tensorType.elemType, onnxType.float32)),
      ),
    ),
  )
}

function rawBytes(data: readonly number[] | Float32Array, dtype: Value['dtype']): Uint8Array<ArrayBuffer> {
  const bytesOf = (array: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  switch (dtype) {
    case 'float32':
      return bytesOf(Float32Array.from(data))
    case 'float64':
      return bytesOf(Float64Array.from(data))
    case 'int32':
      return bytesOf(Int32Array.from(data))
    case 'int64':
      return bytesOf(BigInt64Array.from(Array.from(data, BigInt)))
    case 'int8':
      return bytesOf(Int8Array.from(data))
    case 'uint8':
    case 'bool':
      return Uint8Array.from(data)
  }
}

function writeInitializer(to: BinaryWriter, { name, dtype, shape, source }: Value): void {
  const { tensor, entry } = fields
  text(to, tensor.name, name)
  whole(to, tensor.dataType, onnxType[dtype])
  for (const dim of shape) whole(to, tensor.dims, Number(dim))
  if (source.kind === 'constant') bytes(to, tensor.rawData, rawBytes(source.data, dtype))
  if (source.kind !== 'external') return
  const { range } = source
  if (!range) throw new Error(`the weight "${name}" has no bytes: the graph was built from a config alone`)
  whole(to, tensor.dataLocation, EXTERNAL)
  for (const [key, value] of Object.entries({ location: basename(range.file), offset: range.offset, length: range.bytes }))
    message(to, tensor.externalData, () => {
      text(to, entry.key, key)
      text(to, entry.value, String(value))
    })
}

/**
 * The graph as an ONNX model of a few kilobytes; frozen weights are references into files.
 * Nodes that no output needs are left out, and the list is reversed (see `executionOrder`). All shapes are told: where the engine
 * cannot infer one, as of a part of `tokens`, it reuses no buffer and takes a time to plan that grows with the square of the nodes.
 * `empty` names an empty sequence that is given before all other outputs.
 */
export function encode(graph: Graph, empty: string | null = null): Uint8Array {
  const nodes = liveNodes(graph)
  const used = new Set(nodes.flatMap((node) => node.inputs))
  const names = new Map([...graph.outputs].map(([name, value]) => [value, name]))
  const nameOf = (value: Value | null): string => (value ? (names.get(value) ?? value.name) : '')
  const to = new BinaryWriter()
  const writeNode = ({ op, domain, inputs, outputs, attributes }: Node): void => {
    const { node } = fields
    text(to, node.opType, op)
    text(to, node.domain, domain)
    for (const value of inputs) text(to, node.input, nameOf(value))
    for (const value of outputs) text(to, node.output, nameOf(value))
    for (const [name, value] of Object.entries(attributes)) message(to, node.attribute, () => writeAttribute(to, name, value))
    text(to, node.name, outputs.find((value) => value)?.name ?? '')
  }
  const writeEmpty = (name: string): void => {
    text(to, fields.node.opType, 'SequenceEmpty')
    text(to, fields.node.output, name)
    text(to, fields.node.name, name)
  }
  const writeGraph = (): void => {
    const of = fields.graph
    text(to, of.name, 'adatune')
    for (const node of nodes.toReversed()) message(to, of.node, () => writeNode(node))
    if (empty !== null) {
      message(to, of.node, () => writeEmpty(empty))
      message(to, of.output, () => writeSequenceInfo(to, empty))
    }
    for (const value of nodes.flatMap(({ outputs }) => outputs))
      if (value && !names.has(value)) message(to, of.valueInfo, () => writeValueInfo(to, value.name, value))
    for (const value of graph.inputs.values()) message(to, of.input, () => writeValueInfo(to, value.name, value))
    for (const [name, value] of graph.outputs) message(to, of.output, () => writeValueInfo(to, name, value))
    for (const value of [...graph.constants.values(), ...graph.externals.values()])
      if (used.has(value)) message(to, of.initializer, () => writeInitializer(to, value))
  }
  const { model, opset } = fields
  whole(to, model.irVersion, IR_VERSION)
  text(to, model.producerName, 'adatune')
  for (const [domain, version] of Object.entries({ '': OPSET, 'com.microsoft': 1 }))
    message(to, model.opsetImport, () => {
      text(to, opset.domain, domain)
      whole(to, opset.version, version)
    })
  message(to, model.graph, writeGraph)
  return to.finish()
}
