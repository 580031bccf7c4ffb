import { dirname, join, resolve } from "node:path";
import type { Environment } from "../interpolate.ts";
import { loadConfig, type LoadedConfig } from "../load-config.ts";
import { changesBetween, type ConfigChange } from "./config-changes.ts";
import { contentIdOf, contentOf, type DeployedContent, isReadable } from "./deployment-content.ts";
import { DeploymentError } from "./deployment-error.ts";
import type { Deployment, DeploymentOutcome } from "./deployment-history.ts";
import {
  locked,
  nothingDeployed,
  overtaken,
  refused,
  rolledBack,
  translated,
  unknown,
} from "./deployment-refusals.ts";
import { DeploymentStore } from "./deployment-store.ts";
import { type Drift, driftOf } from "./drift.ts";
import { CONFIG_FILE_NAME, type EnvironmentName, originOf } from "./origin.ts";

export interface DeploymentsOptions {
  environmentName: EnvironmentName;
  /** Holds the folder `deployments`. */
  userDataDirectory: string;
  /** Where `${VAR}` is looked up. */
  environment: Environment;
}

export interface DeploymentsDeps {
  /** Takes a lock between processes that ends with its holder; undefined when another has it. */
  lock: (path: string) => Disposable | undefined;
  clock: { now(): number };
  /** For tests: called at the named points. */
  failpoint?: (name: "kept" | "recorded" | "in-force" | "proved" | "failed" | "withdrawn") => void;
}

/** What a deployment would do. Nothing has changed yet. */
export interface DeploymentPlan {
  readonly content: DeployedContent;
  /** Names the content. */
  readonly id: string;
  /** The file, read as it would be in force. */
  readonly loaded: LoadedConfig;
  /** What is in force now. */
  readonly base: string | undefined;
  readonly changes: readonly ConfigChange[];
  /** What is in force cannot be read, so that the changes are not from it, but from nothing. */
  readonly damaged: boolean;
  /** It is in force already, and proved. */
  readonly unchanged: boolean;
  /** The number whose content a rollback brings back. */
  readonly rollbackTo?: number;
}

export interface DeploymentSteps {
  /** Keeps what could be lost, in a folder that it makes; before anything changes. */
  backup?: (folder: string) => Promise<void>;
  /** Rejects when what is in force now does not work. */
  probe: (loaded: LoadedConfig) => Promise<void>;
}

/** A remembered deployment, and whether it is the one in force. */
export interface ListedDeployment extends Deployment {
  inForce: boolean;
}

/** The deployments of one environment. */
export class Deployments {
  readonly #options: DeploymentsOptions;
  readonly #deps: DeploymentsDeps;
  readonly #store: DeploymentStore;

  constructor(options: DeploymentsOptions, deps: DeploymentsDeps) {
    this.#options = options;
    this.#deps = deps;
    const { userDataDirectory, environmentName } = options;
    this.#store = new DeploymentStore(
      join(userDataDirectory, "deployments", environmentName),
      CONFIG_FILE_NAME,
    );
  }

  /** Oldest first. @throws DeploymentError `DEPLOYMENT_DAMAGED`. */
  list(): ListedDeployment[] {
    const history = this.#store.history();
    const current = inForceOf(history, this.#idInForce());
    return history.map((each) => ({ ...each, inForce: each === current }));
  }

  /** What is in force, read; undefined when nothing is deployed. @throws ConfigError. */
  loadInForce(): LoadedConfig | undefined {
    if (this.#store.inForce() === "none") return undefined;
    return this.#load(this.#store.installed);
  }

  /**
   * Checks a file and says what deploying it would change.
   * @param file Absolute.
   * @param force Take a file that states another environment.
   * @throws ConfigError; DeploymentError `DEPLOYMENT_REFUSED`.
   */
  plan(file: string, { force = false }: { force?: boolean } = {}): DeploymentPlan {
    const { environmentName } = this.#options;
    const loaded = this.#load(file);
    const stated = loaded.config.environment;
    if (stated !== environmentName && !force) throw refused(file, stated, environmentName);
    const source = originOf(file) ?? { file: resolve(file), directory: dirname(resolve(file)) };
    const origin = { ...source, environment: environmentName };
    return this.#planOf(contentOf(origin, file), loaded);
  }

  /**
   * What going back would change: to the content of deployment `to`, else to the last that was
   * proved and differs from the one in force.
   * @throws DeploymentError `DEPLOYMENT_UNKNOWN`, `DEPLOYMENT_DAMAGED`; ConfigError.
   */
  planRollback(to?: number): DeploymentPlan {
    const history = this.#store.history();
    const current = this.#idInForce();
    const target =
      to === undefined
        ? otherProved(history, current)
        : history.find(({ number }) => number === to);
    if (target === undefined) throw unknown(to, this.#options.environmentName);
    const content = this.#store.readIntact(target.content);
    const plan = this.#planOf(content, this.#load(this.#store.fileOf(target.content)));
    return { ...plan, rollbackTo: target.number };
  }

  /**
   * Carries a plan out, alone among all processes: backs up, puts it in force in one step, probes,
   * and puts what was in force before back when the probe rejects.
   * @throws DeploymentError `DEPLOYMENT_LOCKED`; `DEPLOYMENT_ROLLED_BACK` with the probe's error as
   * its cause; `DEPLOYMENT_UNWRITABLE`; what `backup` rejects with, and nothing has changed then.
   */
  async carryOut(plan: DeploymentPlan, steps: DeploymentSteps): Promise<Deployment> {
    try {
      this.#store.create();
      using lock = this.#deps.lock(this.#store.lockFile);
      if (lock === undefined) throw locked(this.#options.environmentName);
      this.#settleCutOff();
      if (this.#idInForce() !== plan.base) throw overtaken(this.#options.environmentName);
      return await this.#install(plan, steps);
    } catch (error) {
      throw translated(error);
    }
  }

  /**
   * How what is in force differs from what was deployed, and from the file it came from.
   * @throws DeploymentError `DEPLOYMENT_UNKNOWN` when nothing is deployed.
   */
  drift(): Drift[] {
    const inForce = this.#store.inForce();
    if (inForce === "none") throw nothingDeployed(this.#options.environmentName);
    if (inForce === "foreign") return driftOf("foreign");
    const { id } = inForce;
    const proved = inForceOf(this.#store.history(), id)?.outcome === "proved";
    return driftOf({ id, content: this.#store.read(id), proved });
  }

  async #install(plan: DeploymentPlan, steps: DeploymentSteps): Promise<Deployment> {
    const store = this.#store;
    const { clock, failpoint } = this.#deps;
    const history = store.history();
    const number = (history.at(-1)?.number ?? 0) + 1;
    await steps.backup?.(store.snapshotFolder(number));
    const id = store.keep(plan.content);
    failpoint?.("kept");
    // Read again, from where it will be in force: what is installed is what was checked.
    this.#load(store.fileOf(id));
    const deployment: Deployment = {
      number,
      at: clock.now(),
      content: id,
      file: plan.content.origin.file,
      ...(plan.rollbackTo === undefined ? {} : { rollbackTo: plan.rollbackTo }),
      outcome: "under-way",
    };
    store.writeHistory([...history, deployment]);
    failpoint?.("recorded");
    const undo = store.putInForce(id, clock.now());
    failpoint?.("in-force");
    try {
      await steps.probe(this.#load(store.installed));
    } catch (error) {
      failpoint?.("failed");
      // Installed again to be proved: what was in force before is what has just failed.
      if (plan.base === id) store.fallBackTo(otherProved(history, id)?.content);
      else undo();
      failpoint?.("withdrawn");
      const reason = (error as Error).message;
      this.#book({ ...deployment, outcome: "withdrawn", reason });
      throw rolledBack(deployment, this.#idInForce() !== undefined, error);
    }
    failpoint?.("proved");
    const proved: Deployment = { ...deployment, outcome: "proved" };
    this.#book(proved);
    store.sweep();
    return proved;
  }

  #planOf(content: DeployedContent, loaded: LoadedConfig): DeploymentPlan {
    const inForce = this.#store.inForce();
    const base = typeof inForce === "string" ? undefined : inForce.id;
    const before = base === undefined ? undefined : this.#readable(base);
    const id = contentIdOf(content);
    const { outcome } = inForceOf(this.#store.history(), base) ?? {};
    const intact = before !== undefined && contentIdOf(before) === id;
    return {
      content,
      id,
      loaded,
      base,
      changes: changesBetween(before, content),
      damaged: base !== undefined && before === undefined,
      unchanged: base === id && intact && outcome === "proved",
    };
  }

  /** A kept content; undefined when it is damaged: a deployment is the way out of that. */
  #readable(id: string): DeployedContent | undefined {
    try {
      const content = this.#store.read(id);
      return isReadable(content) ? content : undefined;
    } catch (error) {
      if (error instanceof DeploymentError) return undefined;
      throw error;
    }
  }

  /** Books what a deployment that was cut off has left, by what is in force. */
  #settleCutOff(): void {
    const history = this.#store.history();
    const id = this.#idInForce();
    const settled = history.map((each): Deployment => {
      if (each.outcome !== "under-way") return each;
      const outcome: DeploymentOutcome =
        each === history.at(-1) && each.content === id ? "interrupted" : "abandoned";
      return { ...each, outcome };
    });
    if (settled.some((each, index) => each !== history[index])) this.#store.writeHistory(settled);
  }

  #book(deployment: Deployment): void {
    const history = this.#store.history();
    this.#store.writeHistory(
      history.map((each) => (each.number === deployment.number ? deployment : each)),
    );
  }

  #idInForce(): string | undefined {
    const inForce = this.#store.inForce();
    return typeof inForce === "string" ? undefined : inForce.id;
  }

  /** A file that states no environment is for the one that it is deployed for. */
  #load(file: string): LoadedConfig {
    const { userDataDirectory, environmentName } = this.#options;
    const environment = { ...this.#options.environment, HOLDFAST_ENV: environmentName };
    return loadConfig({ file, environment, workingDirectory: "/", userDataDirectory });
  }
}

/** The deployment that has put the content in force; undefined when none remembered has. */
function inForceOf(history: readonly Deployment[], id: string | undefined): Deployment | undefined {
  return history.findLast(
    ({ content, outcome }) => content === id && outcome !== "withdrawn" && outcome !== "abandoned",
  );
}

/** The last that was proved and is not this content. */
function otherProved(
  history: readonly Deployment[],
  id: string | undefined,
): Deployment | undefined {
  return history.findLast(({ content, outcome }) => outcome === "proved" && content !== id);
}
