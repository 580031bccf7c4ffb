import { userInfo } from "node:os";
import { resolve } from "node:path";
import envPaths from "env-paths";

/** Where data lives that belongs to the user rather than to a workspace. */
export function userDataDirectory(): string {
  // With an empty HOME the usual place would be relative to wherever the command runs.
  return resolve(userInfo().homedir, envPaths("holdfast", { suffix: "" }).data);
}
