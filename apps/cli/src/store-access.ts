import { managedEndpoint } from "@holdfast/chroma/state";
import { readSecret } from "@holdfast/config";
import type { StoreAccess } from "./store-options.ts";
import type { Workspace } from "./workspace.ts";

/** The way to a store as it is: no server is started for it. */
export function storeAccess(
  { dataDirectory }: Workspace,
  environment: NodeJS.ProcessEnv,
): StoreAccess {
  return {
    readSecret: (reference) => readSecret(reference, environment),
    endpoint: dataDirectory === undefined ? notManaged : managedEndpoint(dataDirectory),
  };
}

/** For a store that runs elsewhere: nobody asks where. */
export const notManaged = (): Promise<never> =>
  Promise.reject(new TypeError("Only a managed store has an endpoint"));
