import { existsSync, readFileSync } from "node:fs";

/** As the envelope names it: `memory-add` for `memory add`. */
export const schemaNameOf = (command: string): string => command.replaceAll(" ", "-");

/** The JSON Schema (draft-07) of a command's data, or of the `envelope`; undefined without one. */
export function publishedSchema(name: string): object | undefined {
  if (!/^[a-z-]+$/.test(name)) return undefined;
  const file = new URL(`../schemas/${name}.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as object) : undefined;
}
