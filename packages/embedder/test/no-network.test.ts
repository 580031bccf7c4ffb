import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { createEmbedder } from "@holdfast/embedder";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

function runWithoutNetwork(...args: string[]): ReturnType<typeof spawnSync> {
  const guard = ["--conditions=@holdfast/source", "--import", fixture("no-network.mjs")];
  return spawnSync(process.execPath, [...guard, ...args], { encoding: "utf8" });
}

test("the guard stops a process that opens a socket", () => {
  const { signal, stderr } = runWithoutNetwork(fixture("connect-once.ts"));
  expect(signal).toBe("SIGKILL");
  expect(stderr).toContain("NETWORK ATTEMPT");
});

test("loads and embeds without a network, ends by itself, and agrees bit for bit", async () => {
  const texts = ["The user prefers dark mode", "東京 🚀"];
  const { status, stdout, stderr } = runWithoutNetwork(fixture("embed-once.ts"), ...texts);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const embedder = createEmbedder();
  const here = await embedder.embed(texts);
  await embedder.close();
  expect(JSON.parse(String(stdout))).toEqual(here.map((vector) => Array.from(vector)));
});
