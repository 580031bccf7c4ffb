import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "../config-error.ts";

export const CONFIG_FILE_NAME = "holdfast.yaml";

export const ENVIRONMENTS = ["development", "testing", "staging", "production"] as const;

export type EnvironmentName = (typeof ENVIRONMENTS)[number];

export function isEnvironmentName(name: string): name is EnvironmentName {
  return (ENVIRONMENTS as readonly string[]).includes(name);
}

/** Beside every deployed file: where it came from. */
export const ORIGIN_FILE = ".deployed-from.json";

export interface Origin {
  /** The file that was deployed. Absolute. */
  file: string;
  /** Its folder, from which its relative paths resolve wherever the copy lies. */
  directory: string;
  /** What it was deployed for, which by force may be another environment than it states. */
  environment: EnvironmentName;
}

/**
 * Where a deployed file came from; undefined for a file that was not deployed.
 * @throws ConfigError `CONFIG_UNREADABLE` when that is noted and cannot be read: its relative
 * paths would lead elsewhere.
 */
export function originOf(file: string): Origin | undefined {
  const note = noteBeside(file);
  if (note === undefined) return undefined;
  try {
    const text = readFileSync(note, "utf8");
    const { file: source, directory, environment } = JSON.parse(text) as Partial<Origin>;
    if (typeof source === "string" && typeof directory === "string" && environment !== undefined)
      if (isEnvironmentName(environment)) return { file: source, directory, environment };
    throw new SyntaxError("it does not say where the file came from");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError(`${note} cannot be read: ${(error as Error).message}`, {
      code: "CONFIG_UNREADABLE",
      hint: "Deploy again, or go back with: holdfast memory rollback",
      cause: error,
    });
  }
}

/** The deployed name is a link to the content, and the note lies beside the content. */
function noteBeside(file: string): string | undefined {
  try {
    return join(dirname(realpathSync(file)), ORIGIN_FILE);
  } catch {
    // Whoever reads the file says what is wrong with it.
    return undefined;
  }
}
