import { execFile } from "node:child_process";

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const LIMIT_MS = 10 * 60_000;

/** Runs a command to its end and gives its stdout. Rejects with all it said when it fails. */
export function run(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: LIMIT_MS };
    const done = (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`));
    };
    execFile(command, args, { ...options, maxBuffer: OUTPUT_BYTES_MAX }, done).stdin?.end();
  });
}
