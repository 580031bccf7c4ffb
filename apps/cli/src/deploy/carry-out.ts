import { ConfigError, type LoadedConfig } from "@holdfast/config";
import {
  type Deployment,
  DeploymentError,
  type DeploymentPlan,
  type Deployments,
} from "@holdfast/config/deploy";
import type { Context } from "../context.ts";
import { openMetrics } from "../metrics.ts";
import { workspaceOf } from "../workspace.ts";
import { KeeperReload } from "./keeper-reload.ts";
import { probe } from "./probe.ts";
import { snapshot } from "./snapshot.ts";

/** Carries a deployment or a rollback out, with a running keeper reloaded on the way. */
export async function carryOut(
  deployments: Deployments,
  plan: DeploymentPlan,
  options: { backup: boolean },
  context: Context,
): Promise<Deployment> {
  const { output, signal } = context;
  const keeper = new KeeperReload(plan.loaded, context);
  let reached = false;
  const backup = async (folder: string): Promise<void> => {
    const held = await snapshot(folder, before(deployments), plan.loaded, context);
    output.note(
      held.length === 0
        ? "Nothing was backed up: there is nothing yet"
        : `Backed up ${held.join(", ")} to ${folder}`,
    );
  };
  try {
    const deployment = await deployments.carryOut(plan, {
      ...(options.backup ? { backup } : {}),
      probe: async (loaded) => {
        reached = true;
        if (keeper.needed) output.note("Chroma is restarted under the new configuration");
        await keeper.end();
        await probe(loaded, context);
        signal.throwIfAborted();
        await keeper.restart(loaded);
      },
    });
    record(plan, "success");
    return deployment;
  } catch (error) {
    if (reached && error instanceof DeploymentError) {
      record(plan, "failure");
      await restore(keeper, deployments);
    }
    throw error;
  }
}

/** In the metrics of the workspace that it is for, where `health` finds it. */
function record({ id, loaded }: DeploymentPlan, outcome: "success" | "failure"): void {
  using metrics = openMetrics(workspaceOf(loaded));
  const { environment } = loaded.config;
  metrics.lifecycle.deployment(id.slice(0, 12), outcome, { environment });
}

/** What the probe started under the configuration that was withdrawn must not go on. */
async function restore(keeper: KeeperReload, deployments: Deployments): Promise<void> {
  await keeper.end();
  await keeper.restart(before(deployments));
}

/** What is in force, if it can be read: a deployment is also the way out of one that cannot. */
function before(deployments: Deployments): LoadedConfig | undefined {
  try {
    return deployments.loadInForce();
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
