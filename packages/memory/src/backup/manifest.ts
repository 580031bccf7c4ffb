import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { checkSchema, parseYaml, plainData, YamlError, type YamlNode } from "@holdfast/document";
import { dump } from "js-yaml";
import { invalid } from "./backup-error.ts";
import { type Manifest, manifestSchema } from "./manifest-schema.ts";
import { readRegularFile } from "./safe-file.ts";

const HEAD = `# A Holdfast backup. The memories are in the data file beside it.
#   check it    holdfast memory backup verify FILE
#   try it out  holdfast memory restore FILE --dry-run
# Every byte of this file counts into its last line: a changed one is refused.
`;
const CHECKSUM = /^checksum: sha256:([0-9a-f]{64})\n$/;
const BYTES_MAX = 1_048_576;
/** A restore writes it under this name. */
const POLICY = /^policies\/[^./\\\0][^/\\\0]*\.(?:ya?ml|json)$/i;

/** The manifest as it is written: YAML for people, sealed by its last line. */
export function formatManifest(manifest: Manifest): string {
  const body = HEAD + dump(manifest, { lineWidth: 100, noRefs: true });
  return `${body}checksum: sha256:${sha256(body)}\n`;
}

/**
 * Reads a manifest and checks its seal and shape; of its data file only the name.
 * @throws BackupError `BACKUP_NOT_FOUND` or `BACKUP_INVALID`.
 */
export function readManifest(path: string): Manifest {
  const text = readRegularFile(path, BYTES_MAX);
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  const [, seal] = CHECKSUM.exec(text.slice(end)) ?? [];
  const body = text.slice(0, end);
  if (seal === undefined) throw invalid(path, "it is no backup manifest, or its end is missing");
  if (sha256(body) !== seal) throw invalid(path, "the manifest was changed: its checksum differs");
  const node = parsed(path, body);
  const [violation] = checkSchema(node, manifestSchema);
  if (violation !== undefined)
    throw invalid(path, `${violation.path} ${violation.message} in the manifest`);
  const manifest = plainData(node) as Manifest;
  checkParts(path, manifest);
  return manifest;
}

/** Where the data of the backup `path` is: beside it, whatever the name in it tries. */
export function dataPathOf(path: string, { data }: Manifest): string {
  if (data === undefined) throw invalid(path, "it holds no memories");
  return besides(path, data.file);
}

/** Where the backup is that an incremental one continues. */
export function basePathOf(path: string, { base }: Manifest): string | undefined {
  return base && besides(path, base.file);
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function besides(path: string, name: string): string {
  if (basename(name) !== name || name === "." || name === ".." || /[\\\0]/.test(name))
    throw invalid(path, `${JSON.stringify(name)} is not the name of a file beside it`);
  return join(dirname(path), name);
}

function parsed(path: string, body: string): YamlNode {
  try {
    return parseYaml(body);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw invalid(path, `the manifest cannot be read: ${error.message}`, error);
  }
}

function checkParts(path: string, manifest: Manifest): void {
  const { configuration, policies = [], kind, data, collections, base } = manifest;
  for (const part of [...(configuration === undefined ? [] : [configuration]), ...policies])
    if (sha256(part.text) !== part.sha256)
      throw invalid(path, `${part.file} in it is not what its checksum says`);
  const names = policies.map(({ file }) => file);
  const stray = names.find((name, at) => !POLICY.test(name) || names.indexOf(name) !== at);
  if (stray !== undefined)
    throw invalid(path, `${JSON.stringify(stray)} is not the name of one policy file`);
  const hasData = kind !== "configuration";
  if ((data !== undefined) !== hasData || collections.length > 0 !== hasData)
    throw invalid(path, `a ${kind} backup ${hasData ? "lacks" : "has"} data`);
  if ((base !== undefined) !== (kind === "incremental"))
    throw invalid(path, `a ${kind} backup ${base === undefined ? "lacks" : "has"} a base`);
  if (data !== undefined) dataPathOf(path, manifest);
  basePathOf(path, manifest);
}
