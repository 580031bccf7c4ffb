import { memoryMetrics } from "@holdfast/memory";
import { renderText, type TextFormat } from "@holdfast/metrics";
import { version } from "./start.ts";
import type { Parts } from "./wire.ts";

/** All that was ever recorded in a workspace, under the names that dashboards know. */
export function exportMetrics(
  { metrics, workspace }: Pick<Parts, "metrics" | "workspace">,
  format: TextFormat,
): string {
  const { collection_name: collection, host, port } = workspace.config.vector_store.config;
  const server =
    host === undefined || port === undefined ? {} : { server: { address: host, port } };
  return renderText(
    metrics.totals(),
    memoryMetrics({ version: version(), collection, ...server }),
    format,
  );
}
