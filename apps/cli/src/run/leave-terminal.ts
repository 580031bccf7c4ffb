import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * To be called last. Node puts the terminal into the state in which it found it, but a program such
 * as `stty` or `reset` is run to change that. What is closed it leaves alone.
 */
export function leaveTerminal(): void {
  for (const descriptor of [0, 1, 2]) if (isatty(descriptor)) closeSync(descriptor);
}
