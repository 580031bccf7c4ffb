import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { stopKeeper } from "../../keeper/control-keeper.ts";
import { managedDirectory } from "../../managed-directory.ts";

export function register(command: Command, context: Context): void {
  command.action(() => stop(context));
  example(command, ["holdfast server stop"]);
}

async function stop(context: Context): Promise<void> {
  const stopped = await stopKeeper(managedDirectory(context));
  context.output.result(
    { stopped },
    stopped
      ? "Stopped. Memories are still accepted; the next command that needs it starts it again."
      : "Nothing was running.",
  );
}
