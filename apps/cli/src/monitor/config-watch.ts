import { ConfigError, loadConfig, type LoadedConfig, type LoadOptions } from "@holdfast/config";
import type { Clock } from "@holdfast/core";

const LOOK_EVERY_MS = 1_000;

/**
 * Resolves once another configuration is in force than `loaded`: after a deployment, an edit, a
 * changed overlay. One that is not valid changes nothing, and is told once.
 * @throws the signal's reason.
 */
export async function untilConfigChanges(
  loaded: LoadedConfig,
  options: LoadOptions,
  deps: { clock: Clock; onInvalid: (why: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const before = fingerprintOf(loaded);
  for (let told = ""; ;) {
    await deps.clock.sleep(LOOK_EVERY_MS, signal);
    try {
      if (fingerprintOf(loadConfig(options)) !== before) return;
      told = "";
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (told !== error.message) deps.onInvalid(error.message);
      told = error.message;
    }
  }
}

const fingerprintOf = ({ config, file, directory }: LoadedConfig): string =>
  JSON.stringify([config, file, directory]);
