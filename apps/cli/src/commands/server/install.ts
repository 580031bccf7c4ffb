import type { Command } from "commander";
import { findServer } from "@holdfast/chroma";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { tellInstall } from "../../tell-install.ts";

export function register(command: Command, context: Context): void {
  command.action(() => install(context));
  example(command, ["holdfast server install"]);
}

async function install(context: Context): Promise<void> {
  const { output, signal } = context;
  const { command } = context.config().config.vector_store.config;
  const program = await findServer({
    signal,
    onProgress: (progress) => tellInstall(progress, output),
    ...(command === undefined ? {} : { command }),
  });
  const { source, build } = program;
  output.result(
    { source, build },
    `Chroma ${build.version} runs on this machine (${build.name}, ${SOURCES[source]}).`,
  );
}

const SOURCES = {
  command: "the configured command",
  path: "chroma on PATH",
  package: "the official chromadb package's own",
  cache: "fetched into the user's cache",
} as const;
