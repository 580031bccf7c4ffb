import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseYaml, YamlError } from "@holdfast/document";
import { overlayFileOf } from "../layers/file-layer.ts";
import { isFile, readConfigFile } from "../read-config-file.ts";
import { DeploymentError } from "./deployment-error.ts";
import { renameDurably, syncFolder, writeDurably } from "./durable-file.ts";
import { CONFIG_FILE_NAME, ORIGIN_FILE, type Origin } from "./origin.ts";

/** What is deployed: the text as it was written, and where it came from. */
export interface DeployedContent {
  /** By name: `holdfast.yaml`, and `holdfast.<environment>.yaml` where there was an overlay. */
  files: Readonly<Record<string, string>>;
  origin: Origin;
}

/** What a file says now, with the overlay of the environment that it is deployed for. */
export function contentOf(origin: Origin, file: string = origin.file): DeployedContent {
  const { environment } = origin;
  const files: Record<string, string> = { [CONFIG_FILE_NAME]: readConfigFile(file) };
  const overlay = overlayFileOf(file, environment);
  if (isFile(overlay))
    files[overlayFileOf(CONFIG_FILE_NAME, environment)] = readConfigFile(overlay);
  return { files, origin };
}

/** Names a content: the same text from the same place for the same environment has the same id. */
export function contentIdOf({ files, origin }: DeployedContent): string {
  const named = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { file, directory, environment } = origin;
  return createHash("sha256")
    .update(JSON.stringify([named, file, directory, environment]))
    .digest("hex");
}

/** Keeps a content in `folder` under its id. Whole or not at all; idempotent. Returns the id. */
export function keepContent(folder: string, content: DeployedContent): string {
  const id = contentIdOf(content);
  const place = join(folder, id);
  if (isIntact(folder, id)) return id;
  const staging = join(folder, `.staging-${process.pid}`);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true, mode: 0o700 });
  // Read-only: a hand that means to edit it should notice that it is a copy.
  for (const [name, text] of Object.entries(content.files))
    writeDurably(join(staging, name), text, 0o400);
  const note = { ...content.origin, files: Object.keys(content.files) };
  writeDurably(join(staging, ORIGIN_FILE), `${JSON.stringify(note, null, 2)}\n`, 0o400);
  syncFolder(staging);
  // Edited since by hand: what was deployed is deployed again, and the edit is kept beside. It may be
  // in force, so it makes way only for what is written already.
  if (existsSync(place)) renameSync(place, `${place}.edited-${Date.now()}`);
  renameDurably(staging, place);
  return id;
}

/** What is kept under an id, whether or not it still is what was deployed. */
export function readContent(folder: string, id: string): DeployedContent {
  const place = join(folder, id);
  try {
    const note = JSON.parse(readFileSync(join(place, ORIGIN_FILE), "utf8")) as Origin & {
      files: string[];
    };
    const { file, directory, environment } = note;
    const files = Object.fromEntries(
      note.files.map((name) => [name, readFileSync(join(place, name), "utf8")]),
    );
    return { files, origin: { file, directory, environment } };
  } catch (error) {
    throw damaged(id, (error as Error).message, error);
  }
}

/** What is kept under an id. @throws DeploymentError `DEPLOYMENT_DAMAGED` when it was changed. */
export function readIntact(folder: string, id: string): DeployedContent {
  const content = readContent(folder, id);
  if (contentIdOf(content) === id) return content;
  throw damaged(id, "its files were changed by hand");
}

function isIntact(folder: string, id: string): boolean {
  try {
    return contentIdOf(readContent(folder, id)) === id;
  } catch (error) {
    if (error instanceof DeploymentError) return false;
    throw error;
  }
}

/** Whether it can be compared with: a copy may have been edited into no YAML at all. */
export function isReadable({ files }: DeployedContent): boolean {
  try {
    for (const text of Object.values(files)) parseYaml(text);
    return true;
  } catch (error) {
    if (error instanceof YamlError) return false;
    throw error;
  }
}

function damaged(id: string, why: string, cause?: unknown): DeploymentError {
  return new DeploymentError(`The deployed content ${id.slice(0, 12)} is damaged: ${why}`, {
    code: "DEPLOYMENT_DAMAGED",
    hint: "Deploy the file again: holdfast memory deploy FILE --env NAME",
    cause,
  });
}
