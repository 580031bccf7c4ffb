import { Argument, type Command } from "commander";
import { commands } from "../catalogue.ts";
import { completionScript, SHELLS, type Shell } from "../completion-script.ts";
import type { Context } from "../context.ts";
import { example } from "../help.ts";
import { buildProgram } from "../program.ts";

export function register(command: Command, context: Context): void {
  command
    .addArgument(new Argument("<shell>", "the shell to complete in").choices(SHELLS))
    .action(async (shell: Shell) => {
      const program = await buildProgram(commands, context);
      const script = completionScript(shell, program);
      context.output.result({ shell, script }, script);
    });
  example(command, [
    "holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast",
    "holdfast completion zsh > ~/.zfunc/_holdfast",
    "holdfast completion fish > ~/.config/fish/completions/holdfast.fish",
  ]);
}
