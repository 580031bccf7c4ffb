import { basename, join } from "node:path";
import type { Context } from "../context.ts";
import { workspaceOf } from "../workspace.ts";

/** Where a workspace's policies live, and how they are decided. */
export interface PolicyPlace {
  /** The folder of the rules in force and of their tests. */
  directory: string;
  /** Beneath it: rules that were removed or replaced. */
  removedDirectory: string;
  /** IANA name, for conditions that name none. */
  timezone: string;
  seed: string;
  /** What limits have used. */
  countersFile: string;
  /** Decided events, when they are recorded. */
  eventsFile: string;
}

export function policyPlaceOf(context: Context): PolicyPlace {
  const loaded = context.config();
  const directory = join(loaded.directory, "policies");
  const { stateDirectory } = workspaceOf(loaded);
  return {
    directory,
    removedDirectory: join(directory, ".removed"),
    timezone: "UTC",
    seed: "",
    countersFile: join(stateDirectory, "policy-counters.db"),
    eventsFile: join(stateDirectory, "policy-events.db"),
  };
}

/** A file of the folder as people know it: `policies/no-secrets.yaml`. */
export function shortPath(place: PolicyPlace, path: string): string {
  return join(basename(place.directory), path.slice(place.directory.length));
}
