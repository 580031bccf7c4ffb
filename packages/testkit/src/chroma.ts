import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManagedServer, type ManagedServerOptions, type RunningServer } from "@holdfast/chroma";

export interface StartChromaOptions {
  /** Default false. */
  allowReset?: boolean;
  /** Default: what runs on this machine. */
  command?: readonly string[];
  /** Serve an existing directory, which is then kept. Default: a new one, removed by `stop`. */
  dataDirectory?: string;
}

/** A real Chroma for one test. `host`, `port` and `incarnation` are the current run's. */
export interface TestChroma extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly incarnation: string;
  readonly pid: number;
  readonly dataDirectory: string;
  readonly server: ManagedServer;
  /** Kills the process and resolves when it is gone. */
  kill9(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Ends the process, if it lives, and starts another, on another port. */
  restart(): Promise<void>;
  /** Ends the server and removes what it left. Idempotent. */
  stop(): Promise<void>;
}

/** A test that dies without `stop` must not leave a server behind for long. */
const ORPHAN_MS = 4_000;

/** Starts a real Chroma on a free port of loopback. @throws ServerError. */
export async function startChroma(options: StartChromaOptions = {}): Promise<TestChroma> {
  const scratch = await mkdtemp(join(tmpdir(), "holdfast-chroma-"));
  const dataDirectory = options.dataDirectory ?? join(scratch, "data");
  const settings: ManagedServerOptions = {
    dataDirectory,
    allowReset: options.allowReset ?? false,
    orphanMs: ORPHAN_MS,
    ...(options.command === undefined ? {} : { command: options.command }),
  };
  const server = new ManagedServer(settings);
  const cleanUp = async (): Promise<void> => {
    await server.stop();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    return testChroma(server, await server.start(), cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

function testChroma(
  server: ManagedServer,
  started: RunningServer,
  cleanUp: () => Promise<void>,
): TestChroma {
  let last = started;
  const current = (): RunningServer => {
    last = server.running ?? last;
    return last;
  };
  return {
    get host() {
      return current().host;
    },
    get port() {
      return current().port;
    },
    get incarnation() {
      return current().incarnation;
    },
    get pid() {
      return current().pid;
    },
    dataDirectory: server.dataDirectory,
    server,
    kill9() {
      const { pid } = current();
      return new Promise((resolve) => {
        const forget = server.onCrash(() => {
          forget();
          resolve();
        });
        process.kill(pid, "SIGKILL");
      });
    },
    pause: () => void process.kill(current().pid, "SIGSTOP"),
    resume: () => void process.kill(current().pid, "SIGCONT"),
    async restart() {
      await server.halt();
      await server.start();
    },
    stop: cleanUp,
    [Symbol.asyncDispose]: cleanUp,
  };
}
