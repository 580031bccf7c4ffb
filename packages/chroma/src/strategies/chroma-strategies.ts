import type { RecoveryStrategy } from "@holdfast/recovery";
import { configurationStrategy } from "./configuration-strategy.ts";
import { connectivityStrategy } from "./connectivity-strategy.ts";
import { persistenceStrategy } from "./persistence-strategy.ts";
import type { ChromaRecoveryDeps } from "./recovery-ports.ts";
import { serviceStrategy } from "./service-strategy.ts";

/**
 * The four ways of repairing a Chroma store, in the order in which they are asked: its process, its
 * configuration, the way to it, and what it keeps. For `RecoveryEngine`.
 */
export function chromaStrategies(deps: ChromaRecoveryDeps): RecoveryStrategy[] {
  return [
    serviceStrategy(deps),
    configurationStrategy(deps),
    connectivityStrategy(deps),
    persistenceStrategy(deps),
  ];
}
