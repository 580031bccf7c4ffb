import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, sep } from "node:path";
import type { CheckedConfig, EnvironmentFinding } from "./environment-check.ts";
import { placesIn } from "./places.ts";

/** A key that holds a program and its arguments, such as `recovery.restart_command`. */
const PROGRAM = /command\[0\]$/;

/** Every program that is named can be run. */
export function commandsAreThere({ config, environment }: CheckedConfig): EnvironmentFinding[] {
  return [...placesIn(config)].flatMap(({ path, value }) => {
    if (!PROGRAM.test(path) || typeof value !== "string") return [];
    if (found(value, environment["PATH"] ?? "")) return [];
    const message = `there is no program ${value}`;
    const expected = "a program in PATH, or its path";
    return [{ rule: "command-available", path, message, expected }];
  });
}

function found(program: string, searched: string): boolean {
  if (isAbsolute(program) || program.includes(sep)) return isProgram(program);
  return searched.split(delimiter).some((folder) => isProgram(join(folder, program)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
