import { spawn } from "node:child_process";
import { expect, test } from "@jest/globals";
import { childEnd } from "@holdfast/core";

/** What a program says, and how it ends. */
async function run(script: string): Promise<{ said: string; code: number | null }> {
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const pipe of [child.stdout, child.stderr])
    pipe.setEncoding("utf8").on("data", (text: string) => (said += text));
  const { code } = await childEnd(child);
  child.stdout.destroy();
  child.stderr.destroy();
  return { said, code };
}

test("all that many programs at once have said is there when they have ended", async () => {
  for (let round = 0; round < 10; round += 1) {
    const ends = await Promise.all(
      Array.from({ length: 16 }, (_, n) => run(`echo out ${n}; echo err >&2; exit 3`)),
    );
    for (const [n, { said, code }] of ends.entries()) {
      expect(code).toBe(3);
      expect(said).toContain(`out ${n}\n`);
      expect(said).toContain("err\n");
    }
  }
});

test("a lot that is said at the very end is all there", async () => {
  const { said } = await run("head -c 60000 /dev/zero | tr '\\0' x; exit 0");
  expect(said).toHaveLength(60_000);
});

test("what a program has left running is not waited for", async () => {
  const { said, code } = await run("sleep 600 & echo $!");
  process.kill(Number(said));
  expect(code).toBe(0);
});

test("a program that cannot be run is told", async () => {
  await expect(childEnd(spawn("/nowhere/at/all"))).rejects.toMatchObject({ code: "ENOENT" });
});
