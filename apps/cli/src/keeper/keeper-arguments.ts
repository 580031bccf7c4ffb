/** What a keeper's process is told on its command line, as one JSON argument. */
export interface KeeperArguments {
  /** Where the configuration is; undefined for the built-in defaults. */
  configFile: string | undefined;
  /** What stands above the file, and from where it was said. Default: nothing does. */
  again?: { settings: readonly string[]; workingDirectory: string };
  /** Nothing that the environment's variables state stands above the file. Default: false. */
  fileAlone?: boolean;
  /** The directory that it must turn out to keep. */
  dataDirectory: string;
  /** Milliseconds between canaries. Default: the keeper's. */
  healthIntervalMs?: number;
  /** Overrides the configuration's, in milliseconds. */
  idleTimeoutMs?: number;
}
