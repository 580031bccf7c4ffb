import type { YamlNode } from "@holdfast/document";
import { entryAt, scalar } from "./entry-at.ts";
import type { Rule, RuleFinding } from "./rule.ts";

const TRIPS = ["", ".operations.read", ".operations.write"].map(
  (scope) => `circuit_breaker${scope}.trip`,
);

/** What the schema cannot say of when calls to a failing store stop. */
export const circuitBreakerRules: readonly Rule[] = [tripNeedsItsMeasure, minimumFitsCalls];

/** `count` looks at calls, `time` at a window: each needs its own, and the other's says nothing. */
function tripNeedsItsMeasure(root: YamlNode): RuleFinding[] {
  return TRIPS.flatMap((path): RuleFinding[] => {
    const kind = entryAt(root, `${path}.kind`);
    if (kind === undefined) return [];
    const [needed, idle] = scalar(kind) === "count" ? ["calls", "window"] : ["window", "calls"];
    const found: RuleFinding[] = [];
    if (entryAt(root, `${path}.${needed}`) === undefined)
      found.push({
        severity: "error",
        rule: "trip-needs-measure",
        offset: kind.keyOffset,
        path: `${path}.kind`,
        message: `${String(scalar(kind))} needs ${needed}`,
        expected:
          needed === "calls" ? "a line calls: 20 beside it" : "a line window: 60s beside it",
      });
    const other = entryAt(root, `${path}.${idle}`);
    if (other !== undefined)
      found.push({
        severity: "warning",
        rule: "no-effect",
        offset: other.keyOffset,
        path: `${path}.${idle}`,
        message: `has no effect with kind ${String(scalar(kind))}`,
      });
    return found;
  });
}

function minimumFitsCalls(root: YamlNode): RuleFinding[] {
  return TRIPS.flatMap((path): RuleFinding[] => {
    const minimum = entryAt(root, `${path}.minimum_calls`);
    const calls = Number(scalar(entryAt(root, `${path}.calls`)));
    if (minimum === undefined || scalar(entryAt(root, `${path}.kind`)) !== "count") return [];
    if (!(Number(scalar(minimum)) > calls)) return [];
    return [
      {
        severity: "error",
        rule: "minimum-fits-calls",
        offset: minimum.value.offset,
        path: `${path}.minimum_calls`,
        message: `${String(scalar(minimum))} is more than the calls that it looks at`,
        expected: `at most ${calls}`,
      },
    ];
  });
}
