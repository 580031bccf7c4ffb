import { spawn } from "node:child_process";
import { childEnvironment, outputOf } from "./server-program.ts";

export interface NpmFailure {
  reason: string;
  hint: string;
  cause: unknown;
}

const OUTPUT_MAX = 64 * 1024;
const AGAIN = "run: holdfast server install";

/**
 * `npm ci` in `folder`, without scripts. Resolves with undefined when it worked, and when `signal`
 * aborts only after npm has ended. The user's own npm configuration (registry, proxy, credentials)
 * applies.
 */
export function runNpm(folder: string, signal?: AbortSignal): Promise<NpmFailure | undefined> {
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  return new Promise((resolve) => {
    const child = spawn("npm", args, {
      cwd: folder,
      env: npmEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal === undefined ? {} : { signal, killSignal: "SIGKILL" }),
    });
    // An abort is an error as well, and comes before the end.
    child.once("error", (error) => child.pid === undefined && resolve(explainSpawn(error)));
    const output = outputOf(child, OUTPUT_MAX);
    // What it has started may hold its pipes open.
    child.once("exit", (code) => signal?.aborted && resolve(explainOutput(output(), code)));
    child.once("close", (code) => resolve(code === 0 ? undefined : explainOutput(output(), code)));
  });
}

/** Without what pnpm or npm told the script that we may be running in. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(childEnvironment()).filter(
    ([name]) => !/^(npm_(?!config_)|pnpm_|npm_config_(verify|_jsr|npm_globalconfig))/i.test(name),
  );
  return { ...Object.fromEntries(inherited), NPM_CONFIG_UPDATE_NOTIFIER: "false" };
}

function explainSpawn(error: Error): NpmFailure {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") {
    return {
      reason: "npm is not on PATH",
      hint: `Install npm, then ${AGAIN}; or put a \`chroma\` command on PATH.`,
      cause: error,
    };
  }
  return { reason: error.message, hint: `Repair npm, then ${AGAIN}`, cause: error };
}

/** What npm's error codes mean for a person; the first match wins. */
const EXPLANATIONS: readonly { match: RegExp; reason: string; hint: string }[] = [
  {
    match: /\bENOSPC\b/,
    reason: "the disk is full",
    hint: "Free some space, or set HOLDFAST_CACHE_DIR to a folder on another disk.",
  },
  {
    match: /\bEINTEGRITY\b/,
    reason: "what arrived is not the build that was pinned (its hash differs)",
    hint: `Check the registry and the proxy that npm uses, then ${AGAIN}`,
  },
  {
    match: /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/,
    reason: "the package registry cannot be reached",
    hint: `Connect to the network, or configure npm's registry or proxy, then ${AGAIN}`,
  },
  {
    match: /\b(E401|E403|ENEEDAUTH)\b/,
    reason: "the package registry refused the credentials",
    hint: `Log in to the registry that npm uses, then ${AGAIN}`,
  },
  {
    match: /\b(E404|ETARGET)\b/,
    reason: "the package registry that npm uses does not have it",
    hint: `Configure a registry that mirrors npm's public one, then ${AGAIN}`,
  },
];

function explainOutput(output: string, code: number | null): NpmFailure {
  const cause = new Error(`npm ci exited with ${code}: ${output.trim().slice(-2_000)}`);
  const known = EXPLANATIONS.find(({ match }) => match.test(output));
  if (known !== undefined) return { reason: known.reason, hint: known.hint, cause };
  const line = output.split("\n").find((candidate) => /error/i.test(candidate));
  return {
    reason: line?.trim() ?? `npm exited with code ${code}`,
    hint: `Correct what npm complains about, then ${AGAIN}`,
    cause,
  };
}
