import { basename } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import type { Attribute, Graph, Value } from '../graph/graph.ts'
import { onnxType } from '../graph/ops/elementwise.ts'
import { liveNodes } from './live.ts'

const OPSET = 21n
const IR_VERSION = 10n

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value })
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRING, s: Uint8Array.from(Buffer.from(value)) })
  }
  if ('int' in value) return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value.int) })
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) })
}

function valueInfo(name: string, value: Value): ValueInfoProto {
  const dim = value.shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
    }),
  )
  const tensorType = create(TypeProto_TensorSchema, { elemType: onnxType[value.dtype], shape: create(TensorShapeProtoSchema, { dim }) })
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }) })
}

/** A sequence of tensors. */
function sequenceInfo(name: string): ValueInfoProto {
  const elemType = create(TypeProtoSchema, {
    value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType: onnxType.float32 }) },
  })
  const sequenceType = create(TypeProto_SequenceSchema, { elemType })
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { value: { case: 'sequenceType', value: sequenceType } }) })
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

function initializer(value: Value): TensorProto {
  const tensor = create(TensorProtoSchema, {
    name: value.name,
    dataType: onnxType[value.dtype],
    dims: value.shape.map((dim) => BigInt(dim)),
  })
  if (value.source.kind === 'constant') tensor.rawData = rawBytes(value.source.data, value.dtype)
  if (value.source.kind === 'external') {
    const { range } = value.source
    if (!range) throw new Error(`the weight "${value.name}" has no bytes: the graph was built from a config alone`)
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL
    tensor.externalData = Object.entries({ location: basename(range.file), offset: range.offset, length: range.bytes }).map(([key, text]) =>
      create(StringStringEntryProtoSchema, { key, value: String(text) }),
    )
  }
  return tensor
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
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'adatune',
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: OPSET }),
      create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
    ],
    graph: create(GraphProtoSchema, {
      name: 'adatune',
      node: nodes
        .map((node) =>
          create(NodeProtoSchema, {
            opType: node.op,
            domain: node.domain,
            input: node.inputs.map(nameOf),
            output: node.outputs.map(nameOf),
            attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
            name: node.outputs.find((value) => value)?.name ?? '',
          }),
        )
        .reverse()
        .concat(empty === null ? [] : [create(NodeProtoSchema, { opType: 'SequenceEmpty', output: [empty], name: empty })]),
      valueInfo: nodes
        .flatMap(({ outputs }) => outputs)
        .flatMap((value) => (value && !names.has(value) ? [valueInfo(value.name, value)] : [])),
      input: [...graph.inputs.values()].map((value) => valueInfo(value.name, value)),
      output: [...(empty === null ? [] : [sequenceInfo(empty)]), ...[...graph.outputs].map(([name, value]) => valueInfo(name, value))],
      initializer: [...graph.constants.values(), ...graph.externals.values()].filter((value) => used.has(value)).map(initializer),
    }),
  })
  return toBinary(ModelProtoSchema, model)
}
