import { readFileSync } from "node:fs";
import { join } from "node:path";
import { YamlError } from "@holdfast/document";
import { changesBetween, type ConfigChange } from "./config-changes.ts";
import { contentIdOf, type DeployedContent } from "./deployment-content.ts";
import { CONFIG_FILE_NAME } from "./origin.ts";

/**
 * - `edited`: the deployed copy was changed by hand
 * - `replaced`: something else than a deployment has put a file in its place
 * - `source-changed`, `source-missing`: the file it came from is not what was deployed
 * - `unproved`: its deployment was cut off before the probe passed
 */
export interface Drift {
  kind: "edited" | "replaced" | "source-changed" | "source-missing" | "unproved";
  message: string;
  /** What a deployment of the source would change. */
  changes: readonly ConfigChange[];
}

interface InForce {
  id: string;
  content: DeployedContent;
  proved: boolean;
}

/** How what is in force differs from what was deployed, and from the file it came from. */
export function driftOf(inForce: InForce | "foreign"): Drift[] {
  if (inForce === "foreign")
    return [drift("replaced", "a file that no deployment has put there is in force")];
  const { id, content, proved } = inForce;
  return [
    ...(contentIdOf(content) === id
      ? []
      : [drift("edited", "the deployed copy was changed by hand")]),
    ...(proved ? [] : [drift("unproved", "its deployment is under way, or was cut off")]),
    ...sourceDrift(content),
  ];
}

function sourceDrift(content: DeployedContent): Drift[] {
  const { files, origin } = content;
  const now: Record<string, string> = {};
  for (const name of Object.keys(files)) {
    const source = sourceOf(name, content);
    const text = readIfThere(source);
    if (text === undefined) return [drift("source-missing", `${source} cannot be read any more`)];
    now[name] = text;
  }
  if (Object.entries(files).every(([name, text]) => now[name] === text)) return [];
  const message = `${origin.file} has changed since it was deployed`;
  try {
    return [drift("source-changed", message, changesBetween(content, { files: now, origin }))];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return [drift("source-changed", `${message}, and is no longer valid: ${error.message}`)];
  }
}

function drift(kind: Drift["kind"], message: string, changes: readonly ConfigChange[] = []): Drift {
  return { kind, message, changes };
}

/** The configuration itself may have any name; what belongs to it keeps its own, beside it. */
function sourceOf(name: string, { origin }: DeployedContent): string {
  return name === CONFIG_FILE_NAME ? origin.file : join(origin.directory, name);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Missing, a folder, not for us to read: it cannot be compared, and the caller says so.
    return undefined;
  }
}
