import { YamlError } from "@holdfast/document";
import { ConfigError } from "../config-error.ts";
import { changesBetween, type ConfigChange } from "./config-changes.ts";
import { contentIdOf, contentOf, type DeployedContent, isReadable } from "./deployment-content.ts";

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
    ...sourceDrift(id, content),
  ];
}

function sourceDrift(id: string, content: DeployedContent): Drift[] {
  const { origin } = content;
  let now: DeployedContent;
  try {
    now = contentOf(origin);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [drift("source-missing", error.message)];
  }
  if (contentIdOf(now) === id) return [];
  const message = `${origin.file} has changed since it was deployed`;
  if (!isReadable(content)) return [drift("source-changed", message)];
  try {
    return [drift("source-changed", message, changesBetween(content, now))];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return [drift("source-changed", `${message}, and is no longer valid: ${error.message}`)];
  }
}

function drift(kind: Drift["kind"], message: string, changes: readonly ConfigChange[] = []): Drift {
  return { kind, message, changes };
}
