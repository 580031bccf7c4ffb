import type { Backups } from "@holdfast/memory";
import type { MetricsStore } from "@holdfast/metrics";

/** A gauge: when a restore was last proved to work, in wall-clock milliseconds. */
const RESTORE_VERIFIED_GAUGE = "restore.last-verified-ms";

/** The same backups, with what was made and what was proved recorded. */
export function measureBackups(backups: Backups, metrics: MetricsStore): Backups {
  const measured: Partial<Backups> = {
    async backup(request) {
      try {
        const report = await backups.backup(request);
        const { kind, partial, memories, bytes, tookMs } = report;
        const outcome = partial === undefined ? "success" : "partial";
        metrics.lifecycle.backup(kind, outcome, Date.now(), { memories, bytes, tookMs });
        return report;
      } catch (error) {
        metrics.lifecycle.backup("backup", "failure", Date.now(), {
          code: String((error as { code?: unknown }).code),
        });
        throw error;
      }
    },
    noteDrill(id, tookMs) {
      backups.noteDrill(id, tookMs);
      metrics.gauge(RESTORE_VERIFIED_GAUGE, Date.now());
    },
  };
  return new Proxy(backups, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(Object.hasOwn(measured, key) ? measured : target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
