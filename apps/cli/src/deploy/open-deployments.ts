import { ENVIRONMENTS, isEnvironmentName } from "@holdfast/config";
import { Deployments } from "@holdfast/config/deploy";
import { systemClock } from "@holdfast/core";
import { KernelLock } from "@holdfast/sqlite";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { usage } from "../selection.ts";
import { userDataDirectory } from "../user-directories.ts";

/** The environment that a command's `--env`, or else `HOLDFAST_ENV`, names. */
export function environmentOf(command: Command, context: Context): string | undefined {
  const { env } = command.optsWithGlobals<{ env?: string }>();
  return env ?? (context.environment["HOLDFAST_ENV"] || undefined);
}

/** The deployments of the environment that a command names. @throws HoldfastError `USAGE`. */
export function deploymentsOf(name: string | undefined, context: Context): Deployments {
  if (name === undefined)
    throw usage("Nothing says for which environment", `Name it: --env ${ENVIRONMENTS.join("|")}`);
  if (!isEnvironmentName(name))
    throw usage(`${name} is not an environment`, `Use one of: ${ENVIRONMENTS.join(", ")}`);
  return new Deployments(
    {
      environmentName: name,
      userDataDirectory: userDataDirectory(),
      environment: context.environment,
    },
    { lock: (path) => KernelLock.tryAcquire(path), clock: systemClock },
  );
}
