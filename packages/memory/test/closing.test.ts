import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { backupWorkspace } from "./backup/backup-fixture.ts";
import { workspace } from "./fixture.ts";

test("closing ends what is reading, and says why", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("x", { id: "x" });
  space.store.setFaults(() => new Promise(() => {}));
  const calls = [memory.search("x"), memory.get("x"), memory.compare(), memory.rebuild()];
  const outcomes = Promise.allSettled(calls);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await memory.close();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: expect.objectContaining({ message: expect.stringMatching(/closed|aborted/) }),
    });
  }
});

test("closing at once after a write was accepted still gives it its receipt", async () => {
  await using space = workspace();
  for (let ticks = 0; ticks < 12; ticks++) {
    const memory = space.open();
    const adding = memory.add("x").then(
      ({ durability }) => durability,
      (error: Error) => error.message,
    );
    for (let n = 0; n < ticks; n++) await Promise.resolve();
    await memory.close();
    expect(await adding).toMatch(/^(queued|stored)$|was closed/);
  }
});

test("after closing, every call says that it is closed; closing again does nothing", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("x", { id: "x" });
  await memory.close();
  const calls: Record<string, () => unknown> = {
    add: () => memory.add("y"),
    addMany: () => memory.addMany([{ text: "y" }]),
    addNone: () => memory.addMany([]),
    update: () => memory.update("x", { text: "y" }),
    search: () => memory.search("x"),
    get: () => memory.get("x"),
    list: () => memory.list(),
    forget: () => memory.forget(["x"]),
    guard: () => memory.guard("read", () => Promise.resolve()),
    drain: () => memory.drain(),
    status: () => memory.status(),
    deadLetters: () => memory.deadLetters(),
    retryDead: () => memory.retryDead(),
    retrySome: () => memory.retryDead([1]),
    discardDead: () => memory.discardDead([1]),
    unmirrored: () => memory.unmirrored(["x"]),
    compare: () => memory.compare(),
    rebuild: () => memory.rebuild(),
  };
  for (const [name, call] of Object.entries(calls)) {
    const said = await Promise.resolve()
      .then(call)
      .catch((error: unknown) => error);
    expect([name, String(said)]).toEqual([name, "TypeError: The memory service was closed"]);
  }
  await memory.close();
});

test("after closing, every call on backups says so too", async () => {
  await using space = backupWorkspace();
  await space.open().add("x");
  const backups = space.backups();
  const path = join(space.folder, "b.yaml");
  await backups.backup({ output: path });
  const plan = await backups.plan(path);
  await backups.restore(plan);
  const undo = backups.planUndo();
  await backups.close();
  const calls: Record<string, () => unknown> = {
    backup: () => backups.backup({ output: path }),
    verify: () => backups.verify(path),
    plan: () => backups.plan(path),
    restore: () => backups.restore(plan),
    planUndo: () => backups.planUndo(),
    undo: () => backups.undo(undo),
    list: () => backups.list(),
    noteDrill: () => backups.noteDrill("x", 1),
  };
  for (const [name, call] of Object.entries(calls)) {
    const said = await Promise.resolve()
      .then(call)
      .catch((error: unknown) => error);
    expect([name, String(said)]).toEqual([name, "TypeError: The backup service was closed"]);
  }
  await backups.close();
});
