import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** A piece of the vocabulary; what is no plain piece is told by its kind. */
export interface Piece {
  readonly text: string
  readonly score: number
  /** 3: a control token; 4: one that the user defined. */
  readonly kind: number
}

/** What is read of SentencePiece's `ModelProto`; source: sentencepiece_model.proto. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[]
  /** 1: unigram, 2: byte pairs. */
  readonly algorithm: number
  readonly unknown: number
  readonly characterMap: Uint8Array
}

type Fields = Readonly<Record<number, (reader: BinaryReader) => void>>

/** Reads the fields of a message that are asked for, and passes over the others. */
function read(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    const take = fields[field]
    if (take) take(reader)
    else reader.skip(type ?? WireType.Varint, field)
  }
}

function readPiece(bytes: Uint8Array): Piece {
  const piece = { text: '', score: 0, kind: 1 }
  read(bytes, {
    1: (reader) => (piece.text = reader.string()),
    2: (reader) => (piece.score = reader.float()),
    3: (reader) => (piece.kind = reader.int32()),
  })
  return piece
}

/** Reads a SentencePiece model. Throws where the bytes are no protobuf. */
export function readSentencePiece(bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = []
  const model = { algorithm: 1, unknown: 0, characterMap: new Uint8Array(0) as Uint8Array }
  read(bytes, {
    1: (reader) => pieces.push(readPiece(reader.bytes())),
    2: (reader) =>
      read(reader.bytes(), {
        3: (inner) => (model.algorithm = inner.int32()),
        40: (inner) => (model.unknown = inner.int32()),
      }),
    3: (reader) => read(reader.bytes(), { 2: (inner) => (model.characterMap = inner.bytes()) }),
  })
  return { pieces, ...model }
}
