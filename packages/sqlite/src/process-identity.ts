import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Names one run of one process: host, PID namespace, PID and start time. Unlike a bare PID it is
 * never reused, and says nothing about processes that cannot be seen from here.
 */
export type ProcessIdentity = string;

/** The calling process's identity. */
export function ownIdentity(): ProcessIdentity {
  own ??= JSON.stringify([...place(), process.pid, startTimeOf(process.pid) ?? ""]);
  return own;
}

/**
 * Whether that process is certainly gone: it ran on this host, in this PID namespace, and its PID
 * is free or another's. False when it lives, is stopped, or cannot be seen from here.
 */
export function isKnownDead(identity: ProcessIdentity): boolean {
  const [host, namespace, pid, startTime] = JSON.parse(identity) as [
    string,
    string,
    number,
    string,
  ];
  const [ownHost, ownNamespace] = place();
  if (host !== ownHost || namespace !== ownNamespace) return false;
  if (!isRunning(pid)) return true;
  const startTimeNow = startTimeOf(pid);
  return startTimeNow !== undefined && startTime !== "" && startTimeNow !== startTime;
}

/**
 * Ticks since boot at which a process started (`/proc/<pid>/stat`, field 22); undefined where
 * that cannot be read. A zombie counts as gone.
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return undefined;
    throw error;
  }
}

/** Whether a process with this PID runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return process.platform !== "linux" || startTimeOf(pid) !== undefined;
}

let own: string | undefined;
let ownPlace: [string, string] | undefined;

function place(): [string, string] {
  ownPlace ??= [hostname(), pidNamespace()];
  return ownPlace;
}

function pidNamespace(): string {
  if (process.platform !== "linux") return "";
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch (error) {
    // A hardened /proc: then nothing is known to share our namespace.
    if (["EACCES", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      return `unknown:${process.pid}`;
    }
    throw error;
  }
}
