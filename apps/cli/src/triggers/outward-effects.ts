import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LoadedConfig } from "@holdfast/config";
import type { GovernanceDeps } from "@holdfast/memory/policy";
import type { Effect, EffectContext, PolicyEvent } from "@holdfast/policy";
import { outwardActions } from "../policy/outward-actions.ts";
import type { Workspace } from "../workspace.ts";

/** What the process of `outward-main` is told on its stdin, as JSON. Holds no secrets. */
export interface OutwardOrder {
  configFile: string | undefined;
  again: LoadedConfig["again"];
  effects: readonly { event: PolicyEvent; effect: Effect }[];
}

type Outward = GovernanceDeps["outward"];

/**
 * Alerts and webhooks of what a trigger captured. Somebody else's slowness must not become a
 * command's: they are collected, and then carried out by a process of their own, which ends by itself.
 */
export class OutwardEffects {
  readonly actions: Outward;
  readonly #effects: { event: PolicyEvent; effect: Effect }[] = [];

  constructor(workspace: Workspace, deps: Parameters<typeof outwardActions>[1]) {
    const later = async (_parameters: unknown, { event, effect }: EffectContext): Promise<void> => {
      this.#effects.push({ event, effect });
    };
    // A line in a file of this machine is written at once.
    const { log_event } = outwardActions(workspace, deps);
    this.actions = { log_event, trigger_alert: later, execute_webhook: later };
  }

  /** Resolves as soon as the process has been told all of it. */
  async handOver(
    { file: configFile, again }: LoadedConfig,
    environment: NodeJS.ProcessEnv,
  ): Promise<void> {
    if (this.#effects.length === 0) return;
    const order: OutwardOrder = { configFile, again, effects: this.#effects };
    const source = import.meta.url.endsWith(".ts");
    const entry = new URL(source ? "./outward-main.ts" : "./outward-main.js", import.meta.url);
    const child = spawn(
      process.execPath,
      [
        ...(source ? ["--conditions=@holdfast/source"] : []),
        "--disable-warning=ExperimentalWarning",
        fileURLToPath(entry),
      ],
      // In no folder that anybody may want to remove.
      { cwd: "/", env: environment, detached: true, stdio: ["pipe", "ignore", "ignore"] },
    );
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.stdin.once("error", reject).end(JSON.stringify(order), resolve);
    });
    child.unref();
  }
}
