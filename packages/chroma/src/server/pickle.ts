/** What the pickles of Chroma's index metadata hold; objects of classes become plain maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PickleValue[]
  | Map<PickleValue, PickleValue>;

/** The bytes are not one whole pickle of the kinds that Chroma writes. */
export class PickleError extends Error {
  override name = "PickleError";
}

const STACK_MAX = 4_000_000;

/**
 * Reads a pickle (protocols 2 to 5) without running anything in it: maps, texts, numbers, and
 * objects as the map of their fields. Written by hand because a library would be a general
 * unpickler, and the file is untrusted.
 * @throws PickleError
 */
export function readPickle(bytes: Buffer): PickleValue {
  return new Unpickler(bytes).read();
}

class Unpickler {
  readonly #bytes: Buffer;
  #at = 0;
  #stack: PickleValue[] = [];
  readonly #marks: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): PickleValue {
    for (;;) {
      const opcode = this.#take(1)[0] as number;
      if (opcode === 0x2e) return this.#pop(); // STOP
      if (!this.#scalar(opcode) && !this.#memoOrFrame(opcode) && !this.#container(opcode)) {
        throw new PickleError(`unknown opcode 0x${opcode.toString(16)} at byte ${this.#at - 1}`);
      }
      if (this.#stack.length > STACK_MAX) throw new PickleError("too many values");
    }
  }

  #scalar(opcode: number): boolean {
    switch (opcode) {
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(this.#take(4).readInt32LE());
      case 0x4b: // BININT1
        return this.#push(this.#take(1).readUInt8());
      case 0x4d: // BININT2
        return this.#push(this.#take(2).readUInt16LE());
      case 0x8a: // LONG1
        return this.#push(longOf(this.#take(this.#take(1).readUInt8())));
      case 0x47: // BINFLOAT
        return this.#push(this.#take(8).readDoubleBE());
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#take(4).readUInt32LE()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#take(1).readUInt8()));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(Number(this.#take(8).readBigUInt64LE())));
      default:
        return false;
    }
  }

  #memoOrFrame(opcode: number): boolean {
    switch (opcode) {
      case 0x80: // PROTO
        this.#take(1);
        return true;
      case 0x95: // FRAME
        this.#take(8);
        return true;
      case 0x71: // BINPUT
        return this.#remember(this.#take(1).readUInt8());
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#take(4).readUInt32LE());
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size);
      case 0x68: // BINGET
        return this.#recall(this.#take(1).readUInt8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#take(4).readUInt32LE());
      default:
        return false;
    }
  }

  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#marks.push(this.#stack);
        this.#stack = [];
        return true;
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x73: // SETITEM
        return this.#setItems([this.#pop(), this.#pop()].toReversed());
      case 0x75: // SETITEMS
        return this.#setItems(this.#sinceMark());
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#sinceMark());
      case 0x74: // TUPLE
        return this.#push(this.#sinceMark());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(this.#stack.splice(-(opcode - 0x84)));
      case 0x63: // GLOBAL: a module and a class, a line each
        this.#line();
        this.#line();
        return this.#push(null);
      case 0x93: // STACK_GLOBAL
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.#pop();
        this.#pop();
        return this.#push(opcode === 0x93 ? null : new Map());
      case 0x62: // BUILD
        return this.#build(this.#pop());
      default:
        return false;
    }
  }

  /** The state of an object is its map of fields. */
  #build(state: PickleValue): boolean {
    const target = this.#top();
    if (!(target instanceof Map) || !(state instanceof Map)) {
      throw new PickleError("an object without fields");
    }
    for (const [key, value] of state) target.set(key, value);
    return true;
  }

  #setItems(items: readonly PickleValue[]): boolean {
    const target = this.#top();
    if (!(target instanceof Map) || items.length % 2 !== 0) throw new PickleError("not a map");
    for (let i = 0; i < items.length; i += 2) {
      target.set(items[i] as PickleValue, items[i + 1] as PickleValue);
    }
    return true;
  }

  #append(items: readonly PickleValue[]): boolean {
    const target = this.#top();
    if (!Array.isArray(target)) throw new PickleError("not a list");
    for (const item of items) target.push(item);
    return true;
  }

  #push(value: PickleValue): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw new PickleError(`nothing to take at byte ${this.#at}`);
    return value;
  }

  #sinceMark(): PickleValue[] {
    const items = this.#stack;
    const before = this.#marks.pop();
    if (before === undefined) throw new PickleError(`no mark at byte ${this.#at}`);
    this.#stack = before;
    return items;
  }

  #remember(index: number): true {
    this.#memo.set(index, this.#top());
    return true;
  }

  #recall(index: number): true {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleError(`no memo ${index}`);
    return this.#push(value);
  }

  #text(length: number): string {
    return this.#take(length).toString("utf8");
  }

  #line(): void {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw new PickleError("it ends early");
    this.#at = end + 1;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw new PickleError(`it ends early, at byte ${this.#bytes.length}`);
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** Two's complement, little-endian. */
function longOf(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  value = BigInt.asIntN(bytes.length * 8, value);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
