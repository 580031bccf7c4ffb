import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { RepairError } from "./repair-error.ts";

/** How Chroma measures distance in a collection: for cosine it stores vectors of length 1. */
export type Space = "cosine" | "l2" | "ip";

export interface IndexRow {
  row: number;
  /** Number of the record in its index, from 1; 0 for a row that was never filled. */
  label: number;
  deleted: boolean;
}

const DATA = "data_level0.bin";
const LENGTHS = "length.bin";

/** Where the parts of a row of data_level0.bin are, in bytes. */
interface RowLayout {
  rowBytes: number;
  vectorAt: number;
  labelAt: number;
}

/** hnswlib's header: u64 offset, u64 capacity, u64 count, u64 row, u64 label, u64 vector … */
const COUNT_AT = 20;
const ROW_BYTES_AT = 28;
const LABEL_AT = 36;
const VECTOR_AT = 44;
const HEADER_BYTES_MIN = 52;
const LABEL_BYTES = 8;
const LINKS_AT = 4;
const LINK_BYTES = 4;
const FLOAT_BYTES = 4;
const READ_BYTES = 4 * 1_024 * 1_024;
/** The second byte after the count of links; its lowest bit says that the row is deleted. */
const DELETED_FLAG_AT = 2;

/**
 * The rows of one persisted HNSW index, read where they lie: the file is never held in memory.
 * Nothing is believed of the header that the collection contradicts.
 */
export class IndexFiles implements Disposable {
  readonly dimension: number;
  /** Whole rows in the file; some builds lay thousands out in advance, full of anything. */
  readonly rows: number;
  /** How many of them are filled; undefined when no header says so. */
  readonly filled: number | undefined;
  readonly #descriptor: number;
  readonly #layout: RowLayout;
  readonly #lengths: Buffer | undefined;

  /**
   * @param neighbours the collection's `max_neighbors`, for an index without a usable header.
   * @throws RepairError `SALVAGE_IMPOSSIBLE` when there are no rows to read.
   */
  constructor(folder: string, shape: { dimension: number; neighbours: number; space: Space }) {
    this.dimension = shape.dimension;
    const header = readIfThere(join(folder, "header.bin"));
    const told = header && toldLayout(header, shape.dimension);
    this.#layout = told ?? defaultLayout(shape);
    this.filled = told && header?.readUInt32LE(COUNT_AT);
    this.#lengths = shape.space === "cosine" ? readIfThere(join(folder, LENGTHS)) : undefined;
    const path = join(folder, DATA);
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new RepairError(`${path} is missing: the index's vectors are gone`, {
        code: "SALVAGE_IMPOSSIBLE",
        cause: error,
      });
    }
    this.rows = Math.floor(fstatSync(this.#descriptor).size / this.#layout.rowBytes);
    if (shape.space === "cosine" && this.#lengths === undefined) {
      this[Symbol.dispose]();
      throw new RepairError("length.bin is missing: the vectors' lengths are gone", {
        code: "SALVAGE_IMPOSSIBLE",
      });
    }
  }

  /** Every row, in the file's order. */
  *scan(): Generator<IndexRow> {
    const { rowBytes, labelAt } = this.#layout;
    const perRead = Math.max(1, Math.floor(READ_BYTES / rowBytes));
    const buffer = Buffer.alloc(perRead * rowBytes);
    for (let first = 0; first < this.rows; first += perRead) {
      const bytes = readSync(this.#descriptor, buffer, 0, buffer.length, first * rowBytes);
      for (let at = 0; at + rowBytes <= bytes; at += rowBytes) {
        yield {
          row: first + at / rowBytes,
          label: Number(buffer.readBigUInt64LE(at + labelAt)),
          deleted: ((buffer[at + DELETED_FLAG_AT] as number) & 1) === 1,
        };
      }
    }
  }

  /**
   * The vector of a row as it was given to Chroma; undefined when it is no vector: not finite, or
   * under cosine not of length 1.
   */
  vectorAt(row: number): Float32Array | undefined {
    const { rowBytes, vectorAt } = this.#layout;
    const bytes = Buffer.alloc(this.dimension * FLOAT_BYTES);
    if (
      readSync(this.#descriptor, bytes, 0, bytes.length, row * rowBytes + vectorAt) < bytes.length
    )
      return undefined;
    const vector = new Float32Array(this.dimension);
    let squares = 0;
    for (let i = 0; i < vector.length; i += 1) {
      const value = bytes.readFloatLE(i * FLOAT_BYTES);
      squares += value * value;
      vector[i] = value;
    }
    if (!Number.isFinite(squares)) return undefined;
    if (this.#lengths === undefined) return vector;
    const at = row * FLOAT_BYTES;
    const length = at + FLOAT_BYTES <= this.#lengths.length ? this.#lengths.readFloatLE(at) : NaN;
    if (length === 0 && squares === 0) return vector;
    const isUnit = Math.abs(Math.sqrt(squares) - 1) <= UNIT_TOLERANCE;
    if (!isUnit || !Number.isFinite(length) || length <= 0) return undefined;
    return vector.map((value) => value * length);
  }

  /** Where a row's vector stands: its numbers, and for cosine its length, which is in a file apart. */
  get parts(): readonly { name: string; bytes: number; at: (row: number) => number }[] {
    const { rowBytes, vectorAt } = this.#layout;
    const numbers = {
      name: DATA,
      bytes: this.dimension * FLOAT_BYTES,
      at: (row: number) => row * rowBytes + vectorAt,
    };
    const length = { name: LENGTHS, bytes: FLOAT_BYTES, at: (row: number) => row * FLOAT_BYTES };
    return this.#lengths === undefined ? [numbers] : [numbers, length];
  }

  /** The rows that a row is linked to on the lowest level. */
  neighboursOf(row: number): number[] {
    const { rowBytes, vectorAt } = this.#layout;
    const links = Buffer.alloc(vectorAt);
    readSync(this.#descriptor, links, 0, vectorAt, row * rowBytes);
    const count = Math.min(links.readUInt16LE(0), (vectorAt - LINKS_AT) / LINK_BYTES);
    return Array.from({ length: count }, (_, n) => links.readUInt32LE(LINKS_AT + n * LINK_BYTES));
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

const UNIT_TOLERANCE = 1e-3;

/** The header's word, if it fits the collection's dimension. */
function toldLayout(header: Buffer, dimension: number): RowLayout | undefined {
  if (header.length < HEADER_BYTES_MIN) return undefined;
  const rowBytes = Number(header.readBigUInt64LE(ROW_BYTES_AT));
  const labelAt = Number(header.readBigUInt64LE(LABEL_AT));
  const vectorAt = Number(header.readBigUInt64LE(VECTOR_AT));
  const fits = labelAt + LABEL_BYTES === rowBytes && labelAt - vectorAt === dimension * FLOAT_BYTES;
  return fits ? { rowBytes, vectorAt, labelAt } : undefined;
}

/** A count of links, and room for twice the neighbours: the lowest level has the double. */
function defaultLayout({
  dimension,
  neighbours,
}: {
  dimension: number;
  neighbours: number;
}): RowLayout {
  const vectorAt = 4 + 2 * neighbours * 4;
  const labelAt = vectorAt + dimension * FLOAT_BYTES;
  return { rowBytes: labelAt + LABEL_BYTES, vectorAt, labelAt };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
