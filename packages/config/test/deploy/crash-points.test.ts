import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@holdfast/config";
import { Deployments, type DeploymentsOptions } from "@holdfast/config/deploy";

const FLAGS = [
  "--conditions=@holdfast/source",
  "--disable-warning=ExperimentalWarning",
  new URL("./fixtures/deployer.ts", import.meta.url).pathname,
];

let folder: string;
let options: DeploymentsOptions;
let file: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-deploy-crash-")));
  options = { environmentName: "production", userDataDirectory: folder, environment: {} };
  file = join(folder, "source.yaml");
});

afterEach(() => rmSync(folder, { recursive: true }));

const open = (): Deployments =>
  new Deployments(options, {
    lock: () => ({ [Symbol.dispose]: () => undefined }),
    clock: Date,
  });

const write = (wait: number): void =>
  writeFileSync(file, `environment: production\noutbox: {wait: ${wait}}\n`);

function waitInForce(): unknown {
  const { config } = loadConfig({
    environmentName: "production",
    environment: {},
    workingDirectory: folder,
    userDataDirectory: folder,
  });
  return config.outbox.wait;
}

async function deploy(wait: number): Promise<void> {
  write(wait);
  await open().carryOut(open().plan(file), { probe: () => Promise.resolve() });
}

function dieAt(point: string, fails: boolean): string | null {
  const { signal } = spawnSync(
    process.execPath,
    [...FLAGS, JSON.stringify({ options, file, dieAt: point, fails })],
    { timeout: 60_000, killSignal: "SIGTERM" },
  );
  return signal;
}

test.each([
  ["kept", false, 1, undefined],
  ["recorded", false, 1, "abandoned"],
  ["in-force", false, 2, "interrupted"],
  ["proved", false, 2, "interrupted"],
  ["failed", true, 2, "interrupted"],
  ["withdrawn", true, 1, "abandoned"],
])(
  "a deployment killed at %s (probe fails: %p) leaves %p in force, whole",
  async (point, fails, expected, booked) => {
    await deploy(1);
    write(2);
    expect(dieAt(point, fails)).toBe("SIGKILL");
    expect(waitInForce()).toBe(expected);
    const kinds = open()
      .drift()
      .map((each) => each.kind);
    expect(kinds.includes("unproved")).toBe(expected === 2);

    // The next one books what was cut off, clears it away, and works.
    await deploy(3);
    expect(waitInForce()).toBe(3);
    expect(open().drift()).toEqual([]);
    const outcomes = open()
      .list()
      .map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["proved", ...(booked === undefined ? [] : [booked]), "proved"]);
    const contents = readdirSync(join(folder, "deployments/production/contents"));
    expect(contents.filter((name) => name.startsWith("."))).toEqual([]);
  },
  60_000,
);

test("what was cut off before its proof is proved by deploying it again", async () => {
  await deploy(1);
  write(2);
  dieAt("in-force", false);
  const plan = open().plan(file);
  expect(plan).toMatchObject({ unchanged: false, changes: [] });
  const probe = (): Promise<void> => Promise.reject(new Error("it does not work"));
  await expect(open().carryOut(plan, { probe })).rejects.toThrow("rolled back");
  expect(waitInForce()).toBe(1);
}, 60_000);

// It was moved aside first, and then nothing at all was in force.
test("an edited copy stays in force where the disk has no room to put it right", async () => {
  const text = `environment: production\noutbox: {wait: 1}\n# ${"long ".repeat(500)}\n`;
  writeFileSync(file, text);
  await open().carryOut(open().plan(file), { probe: () => Promise.resolve() });
  const installed = join(folder, "deployments/production/holdfast.yaml");
  chmodSync(installed, 0o600);
  writeFileSync(installed, "environment: production\noutbox: {wait: 5}\n");
  const settings = JSON.stringify({ options, file, dieAt: "never", fails: false });
  // Blocks of 1024 bytes: no file may have more than one.
  const { status, stderr } = spawnSync(
    "bash",
    ["-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "bash", process.execPath, ...FLAGS, settings],
    { encoding: "utf8" },
  );
  expect(stderr).toContain("DEPLOYMENT_UNWRITABLE");
  expect({ status, wait: waitInForce() }).toEqual({ status: 1, wait: 5 });
  expect(
    open()
      .drift()
      .map(({ kind }) => kind),
  ).toEqual(["edited"]);
});
