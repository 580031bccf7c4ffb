import { expect, test } from "@jest/globals";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memoryMetrics } from "@holdfast/memory";
import type { MetricMapping } from "@holdfast/metrics";

const PAGE = join(import.meta.dirname, "../../../docs/metrics.md");

/** `UPDATE_REFERENCE=1` writes the page instead, after the mapping has changed. */
test("docs/metrics.md says what is exported", () => {
  const text = render(memoryMetrics({ version: "0.0.0", collection: "memories" }));
  if (process.env["UPDATE_REFERENCE"] === "1") writeFileSync(PAGE, text);
  expect(readFileSync(PAGE, "utf8")).toBe(text);
});

function render(mapping: readonly MetricMapping[]): string {
  const rows = mapping.map(({ name, type, help, labels, constantLabels, otel }) => [
    `\`${name}\``,
    type,
    help,
    [...Object.keys(labels ?? {}), ...Object.keys(constantLabels ?? {})]
      .map((label) => `\`${label}\``)
      .join(" "),
    otel?.name === undefined ? "" : `\`${otel.name}\``,
  ]);
  return [
    "# Metrics",
    "",
    "`holdfast health --export openmetrics` prints them, `holdfast memory monitor --listen` serves them at",
    "`/metrics`, and `bindOpenTelemetry` brings them into OpenTelemetry. They count what all processes of a",
    "workspace did, restarts included. No label holds a user or a record.",
    "",
    "<!-- Made from the mapping itself by apps/cli/test/metrics-reference.test.ts. -->",
    "",
    ...table([["Name", "Type", "Meaning", "Labels", "OpenTelemetry"], ...rows]),
    "",
  ].join("\n");
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.map(line),
  ];
}
