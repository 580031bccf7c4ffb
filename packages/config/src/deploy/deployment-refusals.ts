import { HoldfastError } from "@holdfast/core";
import { DeploymentError } from "./deployment-error.ts";
import type { Deployment } from "./deployment-history.ts";
import type { EnvironmentName } from "./origin.ts";

export function refused(file: string, stated: string, asked: EnvironmentName): DeploymentError {
  return new DeploymentError(`${file} is for ${stated}, not for ${asked}`, {
    code: "DEPLOYMENT_REFUSED",
    hint: `Write environment: ${asked} into it, or take it as it is with --force.`,
  });
}

export function nothingDeployed(environment: EnvironmentName): DeploymentError {
  return new DeploymentError(`Nothing is deployed for ${environment}`, {
    code: "DEPLOYMENT_UNKNOWN",
    hint: `Deploy with: holdfast memory deploy FILE --env ${environment}`,
  });
}

export function unknown(number: number | undefined, environment: EnvironmentName): DeploymentError {
  return new DeploymentError(
    number === undefined
      ? `There is no other deployment of ${environment} to go back to`
      : `There is no deployment ${number} of ${environment}`,
    {
      code: "DEPLOYMENT_UNKNOWN",
      hint: `See which there are: holdfast memory deployments --env ${environment}`,
    },
  );
}

export function locked(environment: EnvironmentName): DeploymentError {
  return new DeploymentError(`Another deployment for ${environment} is under way`, {
    code: "DEPLOYMENT_LOCKED",
    retryable: true,
    hint: `Wait for it, then look: holdfast memory deployments --env ${environment}`,
  });
}

/** Another deployment ended between planning and carrying out. */
export function overtaken(environment: EnvironmentName): DeploymentError {
  return new DeploymentError(
    `Another deployment for ${environment} was first; what this one would change is no longer known`,
    {
      code: "DEPLOYMENT_LOCKED",
      retryable: true,
      hint: "Run it again to see what it changes now.",
    },
  );
}

export function rolledBack(
  { number }: Deployment,
  restored: boolean,
  cause: unknown,
): DeploymentError {
  const now = restored ? "what was in force before is again" : "nothing is deployed, as before";
  return new DeploymentError(
    `Deployment ${number} was rolled back, since its probe failed: ${(cause as Error).message}; ${now}`,
    {
      code: "DEPLOYMENT_ROLLED_BACK",
      hint: hintOf(cause) ?? "Correct the file and deploy it again.",
      cause,
    },
  );
}

/** The disk's refusals in our terms; all else as it is. */
export function translated(error: unknown): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof HoldfastError || syscall === undefined) return error;
  return new DeploymentError(`The deployment cannot be written: ${message}`, {
    code: "DEPLOYMENT_UNWRITABLE",
    hint:
      syscall === "symlink"
        ? "Its folder must take links to files: not on FAT, and on Windows only in developer mode."
        : "Make the folder writable, with some free space, and deploy again.",
    cause: error,
  });
}

const hintOf = (cause: unknown): string | undefined =>
  cause instanceof HoldfastError ? cause.hint : undefined;
