/** What a data directory's state says, for processes that start nothing: light to load. */
export {
  managedEndpoint,
  readServerRecord,
  type ServerBuild,
  type ServerEndpoint,
  type ServerRecord,
} from "./server/server-record.ts";
export { stateDirectoryOf, type StatePaths, statePathsOf } from "./server/state-directory.ts";
