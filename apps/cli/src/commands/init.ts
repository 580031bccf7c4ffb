import { mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { CONFIG_FILE_NAME } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import type { Context } from "../context.ts";
import { example } from "../help.ts";
import { writeNewFile } from "../write-new-file.ts";

export function register(command: Command, context: Context): void {
  command
    .argument("[folder]", "the folder to make a workspace; it is created when missing", ".")
    .action((folder: string) => init(resolve(context.workingDirectory, folder), context));
  example(command, ["holdfast init", "holdfast init my-agent"]);
}

function init(folder: string, context: Context): void {
  const file = join(folder, CONFIG_FILE_NAME);
  const data = join(folder, ".holdfast");
  if (!create(folder, file, data))
    throw new HoldfastError(`${file} exists; it was left as it is`, {
      code: "WORKSPACE_EXISTS",
      hint: "See what it holds with: holdfast memory status",
    });
  const { output, workingDirectory } = context;
  const here = relative(workingDirectory, folder);
  const enter = here === "" ? [] : [`  cd ${here}`];
  const text = [
    `Created ${join(here, CONFIG_FILE_NAME)} and ${join(here, ".holdfast")}/ (not for version control).`,
    "",
    "Next:",
    ...enter,
    '  holdfast memory add "The build needs Node 24"',
    '  holdfast memory search "what does the build need"',
    "  holdfast memory status",
  ];
  output.result({ file, directory: data }, text.join("\n"));
}

/** The configuration comes last: with it, the workspace is complete. */
function create(folder: string, file: string, data: string): boolean {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    writeNewFile(join(data, ".gitignore"), "*\n");
    return writeNewFile(file, STARTER, 0o644);
  } catch (error) {
    throw new HoldfastError(`No workspace can be made in ${folder}: ${(error as Error).message}`, {
      code: "WORKSPACE_UNWRITABLE",
      hint: "Choose a folder that you can write to: holdfast init FOLDER",
      cause: error,
    });
  }
}

const STARTER = `# What Holdfast keeps, and where. What is not written here has the value shown.
config_version: 1
environment: development

vector_store:
  provider: chroma
  config:
    collection_name: memories
    persist_directory: .holdfast/chroma
    # To use a Chroma that runs elsewhere, name its host instead:
    # host: chroma.example.org
    # port: 443
    # ssl: true
    # token: { env: CHROMA_TOKEN }

# embedder:
#   provider: default # works offline

# circuit_breaker:
#   failure_threshold: 5
#   recovery_timeout: 60s
#   success_threshold: 3
#   timeout: 30s

# keeper:
#   idle_timeout: 15m
`;
