import { describe, expect, jest, test } from "@jest/globals";
import { clockObstacle, settableClock, startChroma } from "@holdfast/testkit";
import { openMemory } from "./support/open-memory.ts";
import { startWriter } from "./support/writer-process.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(120_000);

const DAY_MS = 86_400_000;
const obstacle = clockObstacle();

(obstacle === undefined ? describe : describe.skip).each([
  ["ahead", DAY_MS],
  ["back", -DAY_MS],
])(`the machine's clock jumps a day %s (${obstacle ?? "libfaketime"})`, (_where, jumpMs) => {
  test("while a drainer stands still: the next one waits for its lease, not for a day", async () => {
    using clock = settableClock();
    await using chroma = await startChroma();
    const { dataDirectory } = chroma;
    const wrapped = [
      "env",
      ...Object.entries(clock.environment).map(([name, value]) => `${name}=${value}`),
    ];
    // It stops itself with the lease in its hands, and its write not yet sent.
    const first = await startWriter(
      { dataDirectory, stopAt: "before-send", waitMs: 60_000 },
      wrapped,
    );
    const second = await startWriter({ dataDirectory, waitMs: 60_000 }, wrapped);
    try {
      first.send({ do: "add", id: "first", text: "by the one that stands still" });
      await first.stopped();
      clock.jump(jumpMs);
      second.send({ do: "add", id: "second", text: "by the next one" });
      await expect(second.answer(({ id }) => id === "second")).resolves.toMatchObject({
        durability: "stored",
      });
      first.signal("SIGCONT");
      await expect(first.answer(({ id }) => id === "first")).resolves.toMatchObject({
        durability: "stored",
      });
    } finally {
      first.signal("SIGCONT");
      for (const writer of [first, second]) writer.close();
      await Promise.all([first.ended(), second.ended()]);
    }
    await using memory = openMemory(dataDirectory);
    await memory.drain();
    expect(await memory.compare()).toMatchObject({ equal: true, compared: 2, foreign: 0 });
    expect(memory.status().ledger).toMatchObject({ accepted: 2, stored: 2, residual: 0 });
  });
});
