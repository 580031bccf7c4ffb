import { readFileSync } from "node:fs";
import { DeploymentError } from "./deployment-error.ts";
import { replaceDurably } from "./durable-file.ts";

/**
 * - `proved`: the probe passed
 * - `withdrawn`: the probe failed, and it was rolled back
 * - `interrupted`: cut off after it was in force and before it was proved
 * - `abandoned`: cut off before it was in force
 * - `under-way`: a deployment is at it now, or was cut off and nobody has deployed since
 */
export type DeploymentOutcome = "under-way" | "proved" | "withdrawn" | "interrupted" | "abandoned";

export interface Deployment {
  /** From 1, in the order of their beginning; never used again. */
  number: number;
  /** Wall-clock ms. */
  at: number;
  /** Names the content: {@link contentIdOf}. */
  content: string;
  /** The file that was deployed. */
  file: string;
  /** The number whose content this rollback brought back. */
  rollbackTo?: number;
  outcome: DeploymentOutcome;
  /** Why it was withdrawn. */
  reason?: string;
}

/** So many are remembered; with those that are dropped goes their content. */
const HISTORY_MAX = 100;

/** The deployments of an environment, oldest first. @throws DeploymentError `DEPLOYMENT_DAMAGED`. */
export function readHistory(path: string): Deployment[] {
  try {
    const { deployments } = JSON.parse(readFileSync(path, "utf8")) as {
      deployments: Deployment[];
    };
    if (!Array.isArray(deployments)) throw new SyntaxError("it holds no list of deployments");
    return deployments;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new DeploymentError(`${path} cannot be read: ${(error as Error).message}`, {
      code: "DEPLOYMENT_DAMAGED",
      hint: `Move it away and deploy again; the contents beside it are untouched.`,
      cause: error,
    });
  }
}

export function writeHistory(path: string, deployments: readonly Deployment[]): void {
  const kept = deployments.slice(-HISTORY_MAX);
  replaceDurably(path, `${JSON.stringify({ version: 1, deployments: kept }, null, 2)}\n`);
}
