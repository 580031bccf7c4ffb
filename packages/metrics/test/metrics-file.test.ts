import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { damaged } from "../src/metrics-error.ts";
import { MetricsFile } from "../src/metrics-file.ts";
import { DEFAULT_TIERS } from "../src/index.ts";
import { after, scratchFolder } from "./scratch.ts";

describe("setting aside", () => {
  test("of two that find the same damage, the second spares the first's new file", () => {
    const options = {
      path: join(scratchFolder(), "metrics.sqlite"),
      tiers: DEFAULT_TIERS,
      eventKeepMs: 1,
      eventsPerKindMax: 1,
      seriesMax: 10,
    };
    const moved: string[] = [];
    const open = (): MetricsFile => {
      const file = new MetricsFile(options, (movedTo) => moved.push(movedTo));
      after(() => file.close());
      file.write({ cells: [], events: [] }, 0, 1_000);
      return file;
    };
    const [one, two] = [open(), open()];
    one.replace(damaged("row"));
    one.write({ cells: [], events: [] }, 0, 1_000);
    two.replace(damaged("row"));
    expect(moved).toHaveLength(1);
    expect(one.setAside()).toEqual(moved);
  });
});
