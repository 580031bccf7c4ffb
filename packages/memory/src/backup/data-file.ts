import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { BackupError, invalid } from "./backup-error.ts";
import { type BackupLine, formatLine, parseLine } from "./backup-line.ts";
import type { Compression, ManifestData } from "./manifest-schema.ts";
import { openRegularFile } from "./safe-file.ts";

/** The longest line that is read. Chroma takes no request of more than 40 MiB, one record or many. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Lines handed over together: so many, or fewer that are long. */
const BATCH = 500;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Level 1 is within a few per cent of the default here: most of it is vectors. */
const ZSTD_LEVEL = 1;

export interface WrittenData extends Omit<ManifestData, "file"> {}

/**
 * Writes lines as they come, compressed, into a new file 0600; memory stays flat whatever their
 * number. It is on the disk once `syncData` says so.
 * @throws BackupError `BACKUP_FAILED`.
 */
export async function writeData(
  path: string,
  lines: AsyncIterable<BackupLine>,
  compression: Compression,
  options: { signal?: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<WrittenData> {
  const hash = createHash("sha256");
  let bytes = 0;
  let contentBytes = 0;
  let count = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    let parts: string[] = [];
    let held = 0;
    const chunk = (): Buffer => {
      const buffer = Buffer.from(parts.join(""));
      contentBytes += buffer.length;
      parts = [];
      held = 0;
      return buffer;
    };
    for await (const line of lines) {
      const text = formatLine(line);
      count += 1;
      held += text.length;
      parts.push(text);
      if (held >= CHUNK_BYTES) yield chunk();
    }
    if (held > 0) yield chunk();
  };
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      options.onBytes?.(bytes);
      done(null, chunk);
    },
  });
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  try {
    await pipeline(
      Readable.from(counted(), { objectMode: false }),
      compressor(compression),
      tap,
      createWriteStream(path, { flags: "wx", mode: 0o600 }),
      signal,
    );
  } catch (error) {
    options.signal?.throwIfAborted();
    throw asWriteFault(error, path);
  }
  const sha256 = hash.digest("hex");
  return { compression, bytes, sha256, content_bytes: contentBytes, lines: count };
}

/** @throws BackupError `BACKUP_FAILED`. */
export async function syncData(path: string): Promise<void> {
  try {
    await using file = await open(path, "r");
    await file.sync();
  } catch (error) {
    throw asWriteFault(error, path);
  }
}

/**
 * Reads a data file again, in batches. Nothing in it is believed before the end is reached:
 * size and SHA-256 are only known to be right then. Bounded by what the manifest says.
 * @throws BackupError `BACKUP_INVALID`, `BACKUP_NOT_FOUND`.
 */
export async function* readData(
  path: string,
  data: ManifestData,
  signal?: AbortSignal,
): AsyncGenerator<BackupLine[]> {
  const { descriptor, bytes } = openRegularFile(path);
  const file = createReadStream(path, { fd: descriptor });
  try {
    if (bytes !== data.bytes)
      throw invalid(path, `it has ${bytes} bytes; the manifest says ${data.bytes}`);
    const hash = createHash("sha256");
    let count = 0;
    for await (const texts of linesOf(file, hash, data, path)) {
      signal?.throwIfAborted();
      yield texts.map((text) => {
        count += 1;
        const line = parseLine(text);
        if (line === undefined)
          throw invalid(path, `line ${count} is not a record, or was changed`);
        return line;
      });
    }
    if (hash.digest("hex") !== data.sha256)
      throw invalid(path, "it was changed: its SHA-256 is not the manifest's");
    if (count !== data.lines)
      throw invalid(path, `it has ${count} records; the manifest says ${data.lines}`);
  } finally {
    file.destroy();
  }
}

async function* linesOf(
  file: Readable,
  hash: Hash,
  data: ManifestData,
  path: string,
): AsyncGenerator<string[]> {
  const content = decompressor(data.compression, path);
  file.on("error", (error) => content.destroy(error));
  file.on("data", (chunk: Buffer) => hash.update(chunk));
  file.pipe(content);
  let rest: Buffer[] = [];
  let held = 0;
  let seen = 0;
  let batch: string[] = [];
  let batchBytes = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      seen += chunk.length;
      if (seen > data.content_bytes) throw invalid(path, "it holds more than the manifest says");
      let from = 0;
      for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
        batch.push(Buffer.concat([...rest, chunk.subarray(from, to)]).toString("utf8"));
        batchBytes += held + to - from;
        rest = [];
        held = 0;
        from = to + 1;
        if (batch.length === BATCH || batchBytes >= BATCH_BYTES) {
          yield batch;
          batch = [];
          batchBytes = 0;
        }
      }
      rest.push(chunk.subarray(from));
      held += chunk.length - from;
      if (held > LINE_BYTES_MAX) throw invalid(path, "a record in it is too long");
    }
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw invalid(path, `it cannot be decompressed: ${(error as Error).message}`, error);
  } finally {
    content.destroy();
  }
  if (held > 0) throw invalid(path, "its last record is cut off");
  if (seen !== data.content_bytes) throw invalid(path, "it holds less than the manifest says");
  if (batch.length > 0) yield batch;
}

function compressor(compression: Compression): Transform {
  if (compression === "gzip") return zlib.createGzip({ level: ZSTD_LEVEL });
  return zlib.createZstdCompress({
    params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
}

function decompressor(compression: Compression, path: string): Transform {
  if (compression === "gzip") return zlib.createGunzip();
  if (typeof zlib.createZstdDecompress === "function") return zlib.createZstdDecompress();
  throw invalid(path, "it is compressed with zstd, which this Node does not have");
}

function asWriteFault(error: unknown, path: string): unknown {
  if (typeof (error as NodeJS.ErrnoException).syscall !== "string") return error;
  return new BackupError(`${path} could not be written: ${(error as Error).message}`, {
    code: "BACKUP_FAILED",
    hint: "Free some space, or write it elsewhere with --output.",
    cause: error,
  });
}
