import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { printable } from "../output.ts";
import { version } from "../start.ts";
import { writeTo } from "../write-new-file.ts";
import type { HealthLook } from "./look.ts";
import { healthPage } from "./page/health-page.ts";

/**
 * Writes the page, whole or not at all.
 * @throws HoldfastError `FILE_EXISTS`: a file of that name is only replaced when asked to;
 * `FILE_UNWRITABLE`.
 */
export function writeReport(
  { answer, memory, history }: HealthLook,
  { file, replace }: { file: string; replace: boolean },
  context: Context,
): void {
  if (history === undefined) throw new TypeError("A report needs the history");
  const { output, workingDirectory } = context;
  const { file: source, config } = context.config();
  const { mode, collection_name: collection } = config.vector_store.config;
  const place = `${mode ?? "managed"} Chroma, ${collection}, ${source ?? "built-in defaults"}`;
  const page = healthPage({ answer, memory, history, place, version: version(), now: Date.now() });
  const path = resolve(workingDirectory, file);
  writeTo(path, page, { force: replace, mode: 0o600 });
  output.note(`Wrote ${printable(path)}`);
}
