import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isRunning } from "@holdfast/sqlite";

/** What this operating system lets us know about other processes; Linux tells everything. */
const PROC = process.platform === "linux" ? "/proc" : undefined;

/**
 * When a process started, in the kernel's own words; undefined when no such process lives
 * (a zombie does not). Together with the pid it names one process for as long as the machine runs.
 */
export function processStartOf(pid: number): string | undefined {
  if (process.platform === "win32") return processStartByPowerShell(pid);
  if (PROC === undefined) return processStartByPs(pid);
  const stat = readIfThere(`${PROC}/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the name in parentheses, and may contain both spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return (state === "Z" || state === "X") && !hasOtherThreads(pid) ? undefined : startTicks;
}

/** A killed process whose other threads still exit holds its files and ports for a moment. */
function hasOtherThreads(pid: number): boolean {
  return (whenThere(() => readdirSync(`${PROC}/${pid}/task`)) ?? []).length > 1;
}

/** The arguments of a living process; undefined when they cannot be read. Linux only. */
export function commandLineOf(pid: number): readonly string[] | undefined {
  if (PROC === undefined) return undefined;
  return readIfThere(`${PROC}/${pid}/cmdline`)?.split("\0").slice(0, -1);
}

/**
 * Processes other than this one that have `path` open for writing. Linux only (elsewhere none),
 * and only those that this user may look into.
 */
export function writersOf(path: string): readonly number[] {
  if (PROC === undefined) return [];
  const pids = readdirSync(PROC).map(Number).filter(Number.isInteger);
  return pids.filter((pid) => pid !== process.pid && hasOpenForWriting(pid, path));
}

/** Whether a living process has `path` open for writing; undefined where nobody can tell. */
export function hasOpen(pid: number, path: string): boolean | undefined {
  return PROC === undefined ? undefined : hasOpenForWriting(pid, path);
}

/** Whether a process listens on a TCP port itself; undefined where nobody can tell. */
export function listensOn(pid: number, port: number): boolean | undefined {
  if (PROC === undefined) return undefined;
  const inodes = new Set(
    ["tcp", "tcp6"].flatMap((table) =>
      listeningInodes(readIfThere(`${PROC}/${pid}/net/${table}`) ?? "", port),
    ),
  );
  return descriptorsOf(pid).some(({ target }) => inodes.has(target));
}

const LISTEN = "0A";

function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${wanted}`) === true && fields[3] === LISTEN)
    .map((fields) => `socket:[${fields[9]}]`);
}

const ACCESS_MODE = 0o3;
const READ_ONLY = 0;

function hasOpenForWriting(pid: number, path: string): boolean {
  return descriptorsOf(pid).some(({ descriptor, target }) => {
    if (target !== path) return false;
    const info = readIfThere(`${PROC}/${pid}/fdinfo/${descriptor}`);
    const flags = /^flags:\s*(\d+)/m.exec(info ?? "")?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) !== READ_ONLY;
  });
}

function descriptorsOf(pid: number): { descriptor: string; target: string }[] {
  const folder = `${PROC}/${pid}/fd`;
  const open = whenThere(() => readdirSync(folder)) ?? [];
  return open.flatMap((descriptor) => {
    const target = whenThere(() => readlinkSync(`${folder}/${descriptor}`));
    return target === undefined ? [] : [{ descriptor, target }];
  });
}

function processStartByPs(pid: number): string | undefined {
  const out = answerOf("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  return out === "" || out.startsWith("Z") ? undefined : out.replace(/^\S+\s+/, "");
}

/** It takes a while to start, so it is asked only of what runs. */
function processStartByPowerShell(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined;
  const command = `(Get-Process -Id ${pid} -ErrorAction Stop).StartTime.ToFileTimeUtc()`;
  return (
    answerOf("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", command]) || undefined
  );
}

/** What a program prints; nothing when it exits with 1, as both do when there is no such process. */
function answerOf(program: string, parameters: readonly string[]): string {
  try {
    return execFileSync(program, parameters, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    }).trim();
  } catch (error) {
    if ((error as { status?: unknown }).status === 1) return "";
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  return whenThere(() => readFileSync(path, "utf8"));
}

/** Processes come and go while they are looked at, and some belong to others. */
function whenThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL"].includes(code)) return undefined;
    throw error;
  }
}
