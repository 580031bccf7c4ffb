import { basename, join } from "node:path";
import type { Context } from "../context.ts";
import { type Workspace, workspaceOf } from "../workspace.ts";

/** Where a workspace's policies live, and how they are decided. */
export interface PolicyPlace {
  /** `policies.enabled`: whether any of it decides. */
  enabled: boolean;
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
  return placeOfPolicies(workspaceOf(context.config()));
}

export function placeOfPolicies({ config, stateDirectory }: Workspace): PolicyPlace {
  const { enabled, directory, timezone, seed } = config.policies;
  return {
    enabled,
    directory,
    removedDirectory: join(directory, ".removed"),
    timezone,
    seed,
    countersFile: join(stateDirectory, "policy.db"),
    eventsFile: join(stateDirectory, "policy-events.db"),
  };
}

/** A file of the folder as people know it: `policies/no-secrets.yaml`. */
export function shortPath(place: PolicyPlace, path: string): string {
  return join(basename(place.directory), path.slice(place.directory.length));
}
