import { expect, test } from "@jest/globals";
import { workspacePackages } from "./architecture/workspace-packages.ts";

/**
 * Chroma forgets everything at POST /api/v2/reset, where its server allows that. Nothing of ours
 * asks for it, whatever allow_reset says, so no command and no function can.
 */
const ASKS = /\/reset["'`?]|\bresetRequest\b|\b(client|chroma|connection|store|admin)\??\.reset\(/i;

test.each(["await client.reset()", "fetch(`${url}/api/v2/reset`)", "this.#client?.reset()"])(
  "the search finds %s",
  (code) => expect(code).toMatch(ASKS),
);

test("no source asks a Chroma to reset", () => {
  const files = workspacePackages().flatMap(({ name, files: own }) =>
    own.flatMap(({ path, text }) =>
      path.startsWith("src/") ? [{ place: `${name}/${path}`, text }] : [],
    ),
  );
  expect(files.length).toBeGreaterThan(200);
  const asking = files.filter(({ text }) => ASKS.test(text)).map(({ place }) => place);
  expect(asking).toEqual([]);
});
