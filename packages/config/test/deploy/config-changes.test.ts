import { expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigChange, Deployments } from "@holdfast/config/deploy";

const MOVES = "memories that are written meanwhile stay where it leads";

async function changes(before: string, after: string): Promise<readonly ConfigChange[]> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-changes-"));
  try {
    const deployments = new Deployments(
      {
        environmentName: "development",
        userDataDirectory: folder,
        environment: { HOST: "10.0.0.1", KEY: "s3cret-content" },
      },
      { lock: () => ({ [Symbol.dispose]: () => undefined }), clock: Date },
    );
    const file = join(folder, "holdfast.yaml");
    writeFileSync(file, before);
    await deployments.carryOut(deployments.plan(file), { probe: () => Promise.resolve() });
    writeFileSync(file, after);
    return deployments.plan(file).changes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a changed, an added and a removed key, with defaults named", async () => {
  const before = "circuit_breaker: {timeout: 10s, failure_threshold: 9}\noutbox: {wait: 1}";
  const after = "circuit_breaker: {timeout: 20s}\noutbox: {wait: 1}\nembedder: {model: small}";
  expect(await changes(before, after)).toEqual([
    { path: "circuit_breaker.failure_threshold", before: "9", after: "5 (default)" },
    { path: "circuit_breaker.timeout", before: "10s", after: "20s" },
    {
      path: "embedder.model",
      before: undefined,
      after: "small",
      irreversible: "memories that are embedded meanwhile keep the new model's vectors",
    },
  ]);
});

test("comments, order and a default written out change nothing", async () => {
  const before = "# one\noutbox: {wait: 1}\ncircuit_breaker: {timeout: 30}";
  const after = "circuit_breaker: {enabled: true}\noutbox:\n  wait: 1 # two";
  expect(await changes(before, after)).toEqual([]);
});

test("what a rollback does not bring back is said", async () => {
  const before = "vector_store: {config: {collection_name: one}}";
  const after = "vector_store: {config: {collection_name: two, allow_reset: true}}";
  const found = await changes(before, after);
  expect(found.map(({ path, irreversible }) => [path, irreversible])).toEqual([
    ["vector_store.config.allow_reset", "what a client resets meanwhile is gone"],
    ["vector_store.config.collection_name", MOVES],
  ]);
});

test("secrets are named by their reference, variables as written, and the rest not shown", async () => {
  const before = "vector_store: {config: {host: a}}";
  const after = `
vector_store:
  config:
    host: \${HOST}
    token: {env: KEY}
    headers: {X-Team-Key: plain-header-value, X-Other: {file: key.txt}}
embedder:
  provider: \${PROVIDER:-default}
  options: {apiKey: "sk-written-down", url: "https://ada:hunter2@example.org/v1", size: 3}
`;
  const found = await changes(before, after);
  const text = JSON.stringify(found);
  for (const secret of ["s3cret", "10.0.0.1", "plain-header", "sk-written", "hunter2"])
    expect(text).not.toContain(secret);
  const shown = Object.fromEntries(found.map(({ path, after: value }) => [path, value]));
  expect(shown).toMatchObject({
    "vector_store.config.host": "${HOST}",
    "vector_store.config.token": '{"env":"KEY"}',
    "vector_store.config.headers.X-Team-Key": "(not shown)",
    "vector_store.config.headers.X-Other": '{"file":"key.txt"}',
    "embedder.options.apiKey": "(not shown)",
    "embedder.options.size": "3",
  });
});
