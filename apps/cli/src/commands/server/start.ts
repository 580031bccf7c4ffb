import type { Command } from "commander";
import { readServerRecord } from "@holdfast/chroma";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { pinKeeper } from "../../keeper/control-keeper.ts";
import { ensureKeeper } from "../../keeper/ensure-keeper.ts";
import { keeperTeller } from "../../keeper-teller.ts";
import { managedDirectory } from "../../managed-directory.ts";

export function register(command: Command, context: Context): void {
  command.action(() => start(context));
  example(command, ["holdfast server start"]);
}

async function start(context: Context): Promise<void> {
  const { output, signal } = context;
  const dataDirectory = managedDirectory(context);
  using use = await ensureKeeper({
    configFile: context.config().file,
    again: context.config().again,
    dataDirectory,
    signal,
    onProgress: keeperTeller(output),
  });
  pinKeeper(dataDirectory, true);
  const { host, port } = await use.endpoint();
  const { pid, build } = readServerRecord(dataDirectory) ?? {};
  output.result(
    { host, port, pid, build, dataDirectory },
    `Chroma ${build?.version ?? ""} answers on ${host}:${port}, and runs until: holdfast server stop`,
  );
}
