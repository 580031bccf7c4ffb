/** Deployments, for the commands that make and look at them: what only loads does without. */
export type { ConfigChange } from "./deploy/config-changes.ts";
export type { Deployment, DeploymentOutcome } from "./deploy/deployment-history.ts";
export { DeploymentError, type DeploymentErrorCode } from "./deploy/deployment-error.ts";
export {
  type DeploymentPlan,
  Deployments,
  type DeploymentsDeps,
  type DeploymentsOptions,
  type DeploymentSteps,
  type ListedDeployment,
} from "./deploy/deployments.ts";
export type { Drift } from "./deploy/drift.ts";
