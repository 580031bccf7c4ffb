import { expect, test } from "@jest/globals";
import { memoryScope } from "@holdfast/memory";
import { recorder } from "./fixture.ts";

test("a block's end is noted, with what was said in it, before the block is left", async () => {
  const { triggers, memory } = recorder();
  {
    await using deploy = memoryScope("deploy", { triggers, type: "workflow", tags: ["ops"] });
    deploy.note("built");
    deploy.note("migrated");
  }
  expect(memory.written).toMatchObject([
    {
      text: "deploy ended\nbuilt\nmigrated",
      tags: ["workflow", "ops"],
      metadata: { category: "workflow", outcome: "success", source: "deploy" },
    },
  ]);
});

test("a failure is noted as one, and thrown as it is", async () => {
  const { triggers, memory } = recorder();
  const broken = new Error("no space");
  const block = async (): Promise<void> => {
    await using scope = memoryScope("backup", { triggers });
    await Promise.resolve();
    throw scope.fail(broken);
  };
  await expect(block()).rejects.toBe(broken);
  expect(memory.written).toMatchObject([
    { text: "backup failed: Error: no space", tags: ["error"], metadata: { outcome: "error" } },
  ]);
});

// It threw at the end of the block, in the place of the error.
test("a failure may be anything at all", async () => {
  const { triggers, memory } = recorder();
  const odd = Object.create(null);
  const block = async (): Promise<void> => {
    await using scope = memoryScope("odd", { triggers });
    await Promise.resolve();
    throw scope.fail(odd);
  };
  await expect(block()).rejects.toBe(odd);
  expect(memory.texts).toEqual(["odd failed: [Object: null prototype] {}"]);
});

test("an outbox that refuses does not fail the block", async () => {
  const { triggers, memory } = recorder();
  memory.failures.push(new Error("disk full"));
  const scope = memoryScope("quiet", { triggers });
  await scope[Symbol.asyncDispose]();
  await scope[Symbol.asyncDispose]();
  expect(triggers.status()).toMatchObject({ raised: 1, failed: 1, lastError: "disk full" });
});
