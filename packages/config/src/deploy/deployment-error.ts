import { HoldfastError } from "@holdfast/core";

/**
 * - `DEPLOYMENT_LOCKED`: another deployment of the environment is under way
 * - `DEPLOYMENT_REFUSED`: the file is for another environment
 * - `DEPLOYMENT_UNKNOWN`: there is no such deployment, or none to go back to
 * - `DEPLOYMENT_DAMAGED`: what was kept of a deployment is not what was deployed
 * - `DEPLOYMENT_ROLLED_BACK`: the probe failed, and what was in force before is in force again
 * - `DEPLOYMENT_UNWRITABLE`: the disk refuses; what was in force still is
 */
export type DeploymentErrorCode =
  | "DEPLOYMENT_LOCKED"
  | "DEPLOYMENT_REFUSED"
  | "DEPLOYMENT_UNKNOWN"
  | "DEPLOYMENT_DAMAGED"
  | "DEPLOYMENT_ROLLED_BACK"
  | "DEPLOYMENT_UNWRITABLE";

export class DeploymentError extends HoldfastError {
  override name = "DeploymentError";
  declare readonly code: DeploymentErrorCode;
}
