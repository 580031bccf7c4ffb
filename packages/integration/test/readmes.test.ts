import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const PACKAGES = join(import.meta.dirname, "../..");
const LINKED = readdirSync(PACKAGES);

test.each([
  ["core", "300000 2 h\ntrue\nDISK_FULL false\n"],
  ["sqlite", "true true\n"],
  ["document", '1:10 enabled is "yes": true?\n2:1 prot is not a known key: port?\n8000\n'],
  ["policy", "abort no passwords here\nallow add_tag long\nblocked cooldown\n"],
  ["notify", "true firing Chroma is away 1\nheld\ntrue resolved Chroma answers again 1\n"],
  ["chroma", "1\n"],
  ["memory", "stored\nfalse Ada prefers tea\ntrue\n"],
  [
    "config",
    'workspace 2m 30\nslip.yaml:2:12: circuit_breaker.enabled: is "yes" (expected true or false; did you mean true?)\n',
  ],
  [
    "metrics",
    expect.stringMatching(
      /^3 runs, p95 30000 ms, 1 trips\navailable 1, budget left -(?:49|48\.99\d*)\n[^]*^tool_operation_duration_seconds_count\{operation="load",outcome="success"\} 1$/m,
    ),
  ],
  ["recovery", expect.stringMatching(/^the shop ended: SIGKILL\n(?:.*\n)*serving again\n$/m)],
] as const)("the example in the README of %s works as written", (name, output) => {
  const readme = readFileSync(join(PACKAGES, name, "README.md"), "utf8");
  const [, example = ""] = /```js\n([^]*?)```/.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "holdfast-readme-"));
  try {
    mkdirSync(join(folder, "node_modules/@holdfast"), { recursive: true });
    for (const linked of LINKED) {
      symlinkSync(join(PACKAGES, linked), join(folder, "node_modules/@holdfast", linked));
    }
    writeFileSync(join(folder, "example.mjs"), example);
    const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, "example.mjs"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toEqual(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
