import type { HealthOptions } from "../commands/health.ts";
import type { Output } from "../output.ts";
import type { HealthLook } from "./look.ts";
import { healthText } from "./health-text.ts";

/** What is answered: as data for `--json`, as text for people or in the format asked for. */
export async function shown(
  { answer, history, selfTest, openMetrics }: HealthLook,
  options: HealthOptions,
  output: Output,
): Promise<{ data: unknown; text: string }> {
  const data = {
    ...answer,
    ...(selfTest === undefined ? {} : { selfTest }),
    ...(options.detailed === true ? { history } : {}),
  };
  if (openMetrics !== undefined) return { data: { text: openMetrics }, text: openMetrics };
  if (options.export === "json") return { data, text: JSON.stringify(data, null, 2) };
  if (options.export === "yaml") {
    const { dump } = await import("js-yaml");
    return { data, text: dump(JSON.parse(JSON.stringify(data))) };
  }
  const tested = (selfTest?.parts ?? []).map(
    ({ name, passed, message }) => `self-test ${name}: ${passed ? "passed" : "FAILED"}, ${message}`,
  );
  const text = healthText(answer, output, options.detailed === true ? history : undefined);
  return { data, text: [text, ...(tested.length === 0 ? [] : ["", ...tested])].join("\n") };
}
