import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BIN, NODE_OPTIONS, Sandbox } from "../run-cli.ts";

/** `holdfast run --`, as arguments of Node. */
export const RUN: readonly string[] = [...NODE_OPTIONS, BIN, "run", "--"];
/** The same, as a shell needs it. */
export const RUN_LINE = `"${process.execPath}" ${RUN.join(" ")}`;

/** A user with triggers, and with a first memory, beside which what is run is remembered. */
export async function rememberingSandbox(): Promise<Sandbox> {
  const sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  const store = "vector_store: {config: {host: 127.0.0.1, port: 9}}";
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\noutbox: {wait: 0}\n`);
  await sandbox.run(["memory", "add", "so that there is a memory", "--no-trigger"]);
  return sandbox;
}
