import { endianness } from "node:os";
import { damaged } from "./metrics-error.ts";

/*
 * Log-linear buckets as in HdrHistogram: each power of two is cut into 32 equal parts, so a
 * bucket's number is the exponent and the first five mantissa bits of the value as a double.
 */
const SUB_BUCKET_BITS = 5;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
const EXPONENT_BIAS = 1_023;
const EXPONENT_MIN = -10;
const EXPONENT_MAX = 31;
const HIGH_WORD_SHIFT = 20 - SUB_BUCKET_BITS;
const FIRST = (EXPONENT_BIAS + EXPONENT_MIN) << SUB_BUCKET_BITS;
const BUCKETS = ((EXPONENT_MAX - EXPONENT_MIN) << SUB_BUCKET_BITS) + 2;
const FORMAT = 1;

/** Values below this (1/1024) share the first bucket, whose quantile is 0. */
export const HISTOGRAM_MIN: number = 2 ** EXPONENT_MIN;
/** Values from this on (2^31) share the last bucket, whose quantile is the maximum seen. */
export const HISTOGRAM_MAX: number = 2 ** EXPONENT_MAX;
/**
 * A quantile differs from the exact nearest-rank one by at most this share of it, for values in
 * [{@link HISTOGRAM_MIN}, {@link HISTOGRAM_MAX}). The harmonic mean of a bucket's bounds
 * [a, a(1 + w)) errs by at most w / (2 + w); w ≤ 1/32.
 */
export const QUANTILE_RELATIVE_ERROR: number = 1 / (2 * SUB_BUCKETS + 1);

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH_WORD = endianness() === "LE" ? 1 : 0;

/** A mergeable histogram of non-negative numbers with exact count, sum, minimum and maximum. */
export class Histogram {
  count = 0;
  sum = 0;
  min: number = Number.POSITIVE_INFINITY;
  max: number = Number.NEGATIVE_INFINITY;
  readonly #counts = new Float64Array(BUCKETS);

  /** Adds one finite, non-negative value. */
  add(value: number): void {
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const index = bucketOf(value);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** Adds all of another's values: the same as having added them here. */
  merge(other: Histogram): void {
    this.#moments(other);
    for (const [index, count] of other.#filled()) {
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
    }
  }

  /**
   * Adds what {@link encode} gave, with the moments kept beside it.
   * @throws MetricsError `METRICS_DAMAGED` when the bytes are not an encoded histogram.
   */
  mergeEncoded(
    bytes: Uint8Array,
    moments: { count: number; sum: number; min: number; max: number },
  ): void {
    this.#moments(moments);
    decodeInto(this.#counts, bytes);
  }

  /** Nearest-rank quantile, `q` in [0, 1], within {@link QUANTILE_RELATIVE_ERROR}; null if empty. */
  quantile(q: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.min(this.count, Math.max(1, Math.ceil(q * this.count)));
    if (rank === 1) return this.min;
    if (rank === this.count) return this.max;
    let seen = 0;
    for (const [index, count] of this.#filled()) {
      seen += count;
      if (seen >= rank) return this.#within(index);
    }
    return this.max;
  }

  /**
   * How many values are at most `bound`: exact but for the bucket that holds `bound`, which counts
   * wholly or not at all. Never falls as values are added, as a cumulative series must not.
   */
  countAtMost(bound: number): number {
    let seen = 0;
    for (const [index, count] of this.#filled()) {
      if (valueOf(index) > bound) break;
      seen += count;
    }
    return seen;
  }

  /** The filled buckets, without the moments: gap and count as varints. */
  encode(): Uint8Array {
    const bytes = [FORMAT];
    let previous = -1;
    for (const [index, count] of this.#filled()) {
      pushVarint(bytes, index - previous);
      pushVarint(bytes, count);
      previous = index;
    }
    return Uint8Array.from(bytes);
  }

  *#filled(): Generator<[number, number]> {
    for (let index = 0; index < BUCKETS; index += 1) {
      const count = this.#counts[index] ?? 0;
      if (count > 0) yield [index, count];
    }
  }

  #within(index: number): number {
    return Math.min(this.max, Math.max(this.min, valueOf(index)));
  }

  #moments(other: { count: number; sum: number; min: number; max: number }): void {
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }
}

/** The encoding of both together; for the upserts and roll-ups that SQLite runs. */
export function mergeEncodings(one: Uint8Array, other: Uint8Array): Uint8Array {
  const merged = new Histogram();
  const moments = { count: 0, sum: 0, min: 0, max: 0 };
  merged.mergeEncoded(one, moments);
  merged.mergeEncoded(other, moments);
  return merged.encode();
}

function bucketOf(value: number): number {
  if (value < HISTOGRAM_MIN) return 0;
  if (value >= HISTOGRAM_MAX) return BUCKETS - 1;
  double[0] = value;
  return ((words[HIGH_WORD] ?? 0) >>> HIGH_WORD_SHIFT) - FIRST + 1;
}

function valueOf(index: number): number {
  if (index === 0) return 0;
  if (index === BUCKETS - 1) return Number.POSITIVE_INFINITY;
  const low = lowerBound(index);
  const high = lowerBound(index + 1);
  return (2 * low * high) / (low + high);
}

function lowerBound(index: number): number {
  const step = index - 1;
  return (
    2 ** (EXPONENT_MIN + Math.floor(step / SUB_BUCKETS)) * (1 + (step % SUB_BUCKETS) / SUB_BUCKETS)
  );
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Adds what {@link Histogram.encode} wrote to `counts`. Small numbers, nearly all, go fast. */
function decodeInto(counts: Float64Array, bytes: Uint8Array): void {
  if (bytes[0] !== FORMAT) throw damaged("histogram");
  const reader = new VarintReader(bytes, 1);
  let index = -1;
  while (reader.at < bytes.length) {
    index += reader.next();
    const before = counts[index];
    if (before === undefined) throw damaged("histogram");
    counts[index] = before + reader.next();
  }
}

class VarintReader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    const byte = this.#bytes[this.at] ?? 0x80;
    if (byte >= 0x80) return this.#nextLong();
    this.at += 1;
    return byte;
  }

  #nextLong(): number {
    let value = 0;
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) break;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw damaged("histogram");
  }
}
