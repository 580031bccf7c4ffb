import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig, type LoadedConfig } from "@holdfast/config";
import { type DeploymentPlan, Deployments, type DeploymentsDeps } from "@holdfast/config/deploy";

let folder: string;
let now: number;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-deploy-")));
  now = 1_000;
});

afterEach(() => rmSync(folder, { recursive: true }));

function deployments(deps: Partial<DeploymentsDeps> = {}): Deployments {
  return new Deployments(
    { environmentName: "staging", userDataDirectory: join(folder, "data"), environment: {} },
    {
      lock: () => ({ [Symbol.dispose]: () => undefined }),
      clock: { now: () => (now += 1_000) },
      ...deps,
    },
  );
}

const installed = (): string => join(folder, "data/deployments/staging/holdfast.yaml");

function write(text: string, path = "project/holdfast.yaml"): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const staging = (more: string): string => `environment: staging\n${more}\n`;

/** As a later command with `--env staging` reads it. */
function inForce(): LoadedConfig {
  return loadConfig({
    environmentName: "staging",
    environment: {},
    workingDirectory: folder,
    userDataDirectory: join(folder, "data"),
  });
}

const works = { probe: (): Promise<void> => Promise.resolve() };
const fails = { probe: (): Promise<void> => Promise.reject(new Error("nobody answers")) };

async function deploy(text: string, path?: string): Promise<DeploymentPlan> {
  const plan = deployments().plan(write(text, path));
  await deployments().carryOut(plan, works);
  return plan;
}

const outcomes = (): string[] =>
  deployments()
    .list()
    .map((each) => each.outcome);

test("what is deployed is in force for its environment, with paths from where it came", async () => {
  await deploy(staging("vector_store: {config: {persist_directory: data}}"));
  const { source, file, directory, config } = inForce();
  expect({ source, file, directory }).toEqual({
    source: "deployment",
    file: installed(),
    directory: join(folder, "project"),
  });
  expect(config.vector_store.config.persist_directory).toBe(join(folder, "project/data"));
  expect(deployments().list()).toMatchObject([{ number: 1, outcome: "proved", inForce: true }]);
  expect(deployments().drift()).toEqual([]);
});

test("named by --config it is the same: its paths do not resolve from the copy", async () => {
  await deploy(staging("vector_store: {config: {persist_directory: data}}"));
  const options = { environment: {}, workingDirectory: "/", userDataDirectory: folder };
  const { config } = loadConfig({ ...options, file: installed() });
  expect(config.vector_store.config.persist_directory).toBe(join(folder, "project/data"));
});

test("a deployed file deployed elsewhere still resolves from where it was written", async () => {
  await deploy(staging(""));
  const plan = deployments().plan(installed());
  expect(plan.content.origin.file).toBe(join(folder, "project/holdfast.yaml"));
});

test("another environment's file is refused, and by force is what it is deployed for", async () => {
  const file = write("environment: production\n");
  expect(() => deployments().plan(file)).toThrow(
    expect.objectContaining({ code: "DEPLOYMENT_REFUSED" }),
  );
  await deployments().carryOut(deployments().plan(file, { force: true }), works);
  expect(inForce().config.environment).toBe("staging");
});

test("a file that states no environment is for the one that it is deployed for", async () => {
  await deploy("outbox: {wait: 4}");
  expect(inForce().config).toMatchObject({ environment: "staging", outbox: { wait: 4 } });
});

test("the environment's overlay is deployed too, and changes only with the next deployment", async () => {
  write("outbox: {wait: 5}\n", "project/holdfast.staging.yaml");
  await deploy(staging("outbox: {wait: 4, records_max: 7}"));
  expect(inForce().config.outbox).toMatchObject({ wait: 5, records_max: 7 });
  write("outbox: {wait: 6}\n", "project/holdfast.staging.yaml");
  expect(inForce().config.outbox.wait).toBe(5);
  const change = { path: "outbox.wait", before: "5", after: "6" };
  expect(deployments().drift()).toMatchObject([{ kind: "source-changed", changes: [change] }]);
});

test("an invalid file is refused with what is wrong, and nothing is written", () => {
  const file = write(staging("outbox: {records_max: none}"));
  expect(() => deployments().plan(file)).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID" }),
  );
  expect(existsSync(join(folder, "data"))).toBe(false);
});

describe("when the probe fails", () => {
  test("what was in force before is again, and the reason is remembered", async () => {
    await deploy(staging("outbox: {wait: 1}"));
    const plan = deployments().plan(write(staging("outbox: {wait: 2}")));
    await expect(deployments().carryOut(plan, fails)).rejects.toMatchObject({
      code: "DEPLOYMENT_ROLLED_BACK",
      message: expect.stringContaining("nobody answers"),
    });
    expect(inForce().config.outbox.wait).toBe(1);
    expect(deployments().list()).toMatchObject([
      { number: 1, inForce: true },
      { number: 2, inForce: false, outcome: "withdrawn", reason: "nobody answers" },
    ]);
  });

  test("a first deployment leaves nothing deployed", async () => {
    const plan = deployments().plan(write(staging("")));
    await expect(deployments().carryOut(plan, fails)).rejects.toThrow("nothing is deployed");
    expect(() => inForce()).toThrow("Nothing is deployed");
  });

  test("a file that no deployment had put there is in its place again", async () => {
    mkdirSync(dirname(installed()), { recursive: true });
    writeFileSync(installed(), staging("outbox: {wait: 7}"));
    expect(deployments().drift()).toMatchObject([{ kind: "replaced" }]);
    const plan = deployments().plan(write(staging("")));
    await expect(deployments().carryOut(plan, fails)).rejects.toThrow("rolled back");
    expect(inForce().config.outbox.wait).toBe(7);
  });

  test("the probe sees the new configuration, through the name that is in force", async () => {
    const seen: LoadedConfig[] = [];
    const plan = deployments().plan(write(staging("outbox: {wait: 3}")));
    await deployments().carryOut(plan, {
      probe: (loaded) => Promise.resolve(void seen.push(loaded)),
    });
    expect(seen[0]).toMatchObject({ file: installed(), config: { outbox: { wait: 3 } } });
  });
});

test("a backup comes first, and when it fails nothing has changed", async () => {
  const plan = deployments().plan(write(staging("")));
  const order: string[] = [];
  await deployments().carryOut(plan, {
    backup: (to) => Promise.resolve(void order.push(`backup ${existsSync(installed())} ${to}`)),
    probe: () => Promise.resolve(void order.push("probe")),
  });
  const to = join(folder, "data/deployments/staging/snapshots/1");
  expect(order).toEqual([`backup false ${to}`, "probe"]);

  const next = deployments().plan(write(staging("outbox: {wait: 2}")));
  const backup = (): Promise<void> => Promise.reject(new Error("no room"));
  await expect(deployments().carryOut(next, { ...works, backup })).rejects.toThrow("no room");
  expect(inForce().config.outbox.wait).toBe(10);
  expect(outcomes()).toEqual(["proved"]);
});

describe("rolling back", () => {
  beforeEach(async () => {
    for (const wait of [1, 2, 3]) await deploy(staging(`outbox: {wait: ${wait}}`));
  });

  test("goes to the last other one, or to a number, and is a deployment itself", async () => {
    await deployments().carryOut(deployments().planRollback(), works);
    expect(inForce().config.outbox.wait).toBe(2);
    await deployments().carryOut(deployments().planRollback(1), works);
    expect(inForce().config.outbox.wait).toBe(1);
    expect(deployments().list().slice(3)).toMatchObject([
      { number: 4, rollbackTo: 2, inForce: false },
      { number: 5, rollbackTo: 1, inForce: true },
    ]);
  });

  test("names what there is not", () => {
    expect(() => deployments().planRollback(9)).toThrow("There is no deployment 9 of staging");
  });

  test("never to a content that was changed by hand", () => {
    const { content } = deployments().list()[0] ?? {};
    const kept = join(dirname(installed()), "contents", content ?? "", "holdfast.yaml");
    chmodSync(kept, 0o600);
    writeFileSync(kept, staging("outbox: {wait: 99}"));
    expect(() => deployments().planRollback(1)).toThrow(
      expect.objectContaining({ code: "DEPLOYMENT_DAMAGED" }),
    );
  });

  test("from a failing probe returns to what was in force, not to what was before it", async () => {
    const plan = deployments().planRollback(1);
    await expect(deployments().carryOut(plan, fails)).rejects.toThrow("rolled back");
    expect(inForce().config.outbox.wait).toBe(3);
  });
});

describe("history", () => {
  test("the same content twice is kept once, and a repeated deployment changes nothing", async () => {
    await deploy(staging("outbox: {wait: 1}"));
    await deploy(staging("outbox: {wait: 2}"));
    const plan = await deploy(staging("outbox: {wait: 1}"));
    expect(readdirSync(join(dirname(installed()), "contents"))).toHaveLength(2);
    expect(plan.unchanged).toBe(false);
    expect(deployments().plan(write(staging("outbox: {wait: 1}"))).unchanged).toBe(true);
  });

  test("is bounded, and takes along contents and snapshots that nobody can go back to", async () => {
    const snapshots = join(dirname(installed()), "snapshots");
    for (const number of [1, 2, 3]) mkdirSync(join(snapshots, String(number)), { recursive: true });
    for (let wait = 1; wait <= 102; wait += 1) await deploy(staging(`outbox: {wait: ${wait}}`));
    expect(deployments().list()).toHaveLength(100);
    expect(deployments().list()[0]?.number).toBe(3);
    expect(readdirSync(join(dirname(installed()), "contents"))).toHaveLength(100);
    expect(readdirSync(snapshots)).toEqual(["3"]);
    // A thousand writes that each wait for the disk.
  }, 300_000);

  test("one that cannot be read is said to be so", async () => {
    await deploy(staging(""));
    writeFileSync(join(dirname(installed()), "history.json"), "{");
    expect(() => deployments().list()).toThrow(
      expect.objectContaining({ code: "DEPLOYMENT_DAMAGED" }),
    );
  });
});

test("only one at a time, and none on top of what it has not seen", async () => {
  const plan = deployments().plan(write(staging("")));
  const busy = deployments({ lock: () => undefined }).carryOut(plan, works);
  await expect(busy).rejects.toMatchObject({ code: "DEPLOYMENT_LOCKED" });
  await deploy(staging("outbox: {wait: 2}"));
  await expect(deployments().carryOut(plan, works)).rejects.toMatchObject({
    code: "DEPLOYMENT_LOCKED",
    message: expect.stringContaining("was first"),
  });
});

describe("drift", () => {
  beforeEach(() => deploy(staging("outbox: {wait: 1}")));

  test("a source that changed is named with what it would change", () => {
    write(staging("outbox: {wait: 2}"));
    const change = { path: "outbox.wait", before: "1", after: "2" };
    expect(deployments().drift()).toMatchObject([{ kind: "source-changed", changes: [change] }]);
  });

  test("a source that is no longer valid, or gone", () => {
    write("environment: [");
    expect(deployments().drift()).toMatchObject([
      { kind: "source-changed", message: expect.stringContaining("no longer valid") },
    ]);
    rmSync(join(folder, "project"), { recursive: true });
    expect(deployments().drift()).toMatchObject([{ kind: "source-missing" }]);
  });

  test("a copy that was edited by hand, also by an editor that writes a new file", () => {
    chmodSync(installed(), 0o600);
    writeFileSync(installed(), staging("outbox: {wait: 5}"));
    const kinds = (): string[] =>
      deployments()
        .drift()
        .map(({ kind }) => kind);
    expect(kinds()).toEqual(["edited"]);
    writeFileSync(installed(), "outbox: {wait: [");
    expect(kinds()).toEqual(["edited"]);
    rmSync(installed());
    writeFileSync(installed(), staging("outbox: {wait: 5}"));
    expect(deployments().drift()).toMatchObject([{ kind: "replaced" }]);
  });

  test.each([
    ["is no YAML any more", () => writeFileSync(installed(), "outbox: {wait: [")],
    [
      "lacks its note",
      () => rmSync(join(dirname(realpathSync(installed())), ".deployed-from.json")),
    ],
    ["is gone", () => rmSync(join(dirname(installed()), "contents"), { recursive: true })],
  ])("of a copy that %s, a deployment is the way out", async (_, damage) => {
    chmodSync(installed(), 0o600);
    damage();
    expect(await deploy(staging("outbox: {wait: 2}"))).toMatchObject({
      damaged: true,
      unchanged: false,
    });
    expect(inForce().config.outbox.wait).toBe(2);
    expect(deployments().drift()).toEqual([]);
  });

  test("the same text deployed again puts an edit right, and keeps it aside", async () => {
    chmodSync(installed(), 0o600);
    writeFileSync(installed(), staging("outbox: {wait: 5}"));
    await deploy(staging("outbox: {wait: 1}"));
    expect(inForce().config.outbox.wait).toBe(1);
    expect(deployments().drift()).toEqual([]);
    const edited = readdirSync(join(dirname(installed()), "contents")).filter((name) =>
      name.includes(".edited-"),
    );
    const [name = ""] = edited;
    const kept = join(dirname(installed()), "contents", name, "holdfast.yaml");
    expect(readFileSync(kept, "utf8")).toContain("wait: 5");
  });
});
