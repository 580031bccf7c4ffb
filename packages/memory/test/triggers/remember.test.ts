import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const PACKAGE = join(import.meta.dirname, "../..");
const FIXTURE = join(import.meta.dirname, "../fixtures/remembered-class.ts");

/** Compiles the fixture as a user's compiler would, and runs what came out. */
function compileAndRun(): unknown {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-decorator-"));
  try {
    mkdirSync(join(folder, "node_modules/@holdfast"), { recursive: true });
    symlinkSync(PACKAGE, join(folder, "node_modules/@holdfast/memory"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
    const compiler = join(dirname(manifest), "bin/tsc");
    const options =
      "--noCheck --ignoreConfig --target es2022 --module nodenext --skipLibCheck".split(" ");
    copyFileSync(FIXTURE, join(folder, "remembered-class.ts"));
    run([compiler, ...options, "remembered-class.ts"], folder);
    const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
    return JSON.parse(run([...flags, "remembered-class.js"], folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

test("a decorated method is noted and otherwise as it was; what cannot be, is refused", () => {
  expect(compileAndRun()).toEqual({
    results: [6, "balance 6", "RangeError: not enough"],
    texts: [
      "withdraw(4) succeeded",
      "Account.audit() succeeded",
      "withdraw(100) failed: RangeError: not enough",
    ],
    refused: ["TRIGGER_UNSUPPORTED", "TRIGGER_UNSUPPORTED"],
    // A rejection that nobody handles is still unhandled when its function is wrapped.
    rejection: "Error: nobody looks",
  });
}, 120_000);
