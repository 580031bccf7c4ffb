import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * What happens to connections:
 * - `pass`: bytes go through
 * - `refuse`: closed at once with a reset
 * - `black-hole`: accepted; nothing is ever answered, and what is sent goes nowhere
 * - `delay`: answers come `delayMs` later
 * - `reset`: reset after `afterBytes` bytes of answer
 */
export type Fault =
  | { kind: "pass" }
  | { kind: "refuse" }
  | { kind: "black-hole" }
  | { kind: "delay"; delayMs: number }
  | { kind: "reset"; afterBytes: number };

/** A TCP proxy on loopback that spoils what passes through it. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** From now on; open connections follow at their next bytes, and are reset by `refuse`. */
  inject(fault: Fault): void;
  /** Resets what is open and stops listening. Idempotent. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

/** Starts a proxy before `target`, passing everything until told otherwise. */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  let fault: Fault = { kind: "pass" };
  let accepted = 0;
  const sockets = new Set<Socket>();
  const resetAll = (): void => {
    for (const socket of sockets) reset(socket);
  };
  const server = createServer((client) => {
    accepted += 1;
    if (fault.kind === "refuse") {
      reset(client);
      return;
    }
    const upstream = connect(target);
    join(client, upstream, () => fault);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
  });
  const port = await listen(server);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      resetAll();
    });
  return {
    host: LOOPBACK,
    port,
    get connections() {
      return sockets.size / 2;
    },
    get accepted() {
      return accepted;
    },
    inject(next) {
      fault = next;
      if (next.kind === "refuse") resetAll();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function join(client: Socket, upstream: Socket, current: () => Fault): void {
  let answered = 0;
  let held = 0;
  let last = Promise.resolve();
  const hold = async (before: Promise<void>, delayMs: number, act: () => void): Promise<void> => {
    held += 1;
    await Promise.all([before, new Promise((resolve) => setTimeout(resolve, delayMs))]);
    held -= 1;
    if (!client.destroyed) act();
  };
  /** At once, unless it is delayed, or what came before it still is. */
  const later = (act: () => void): void => {
    const fault = current();
    if (fault.kind === "delay") last = hold(last, fault.delayMs, act);
    else if (held > 0) last = hold(last, 0, act);
    else act();
  };
  // The other side's failure is this side's: what a real network would show.
  client.on("error", () => upstream.destroy());
  upstream.on("error", () => reset(client));
  client.on("close", () => upstream.destroy());
  upstream.on("end", () => later(() => client.end()));
  client.on("end", () => upstream.end());
  client.on("data", (bytes) => {
    if (current().kind !== "black-hole") upstream.write(bytes);
  });
  upstream.on("data", (bytes) => {
    const fault = current();
    answered += bytes.length;
    if (fault.kind === "black-hole") return;
    if (fault.kind === "reset" && answered >= fault.afterBytes) {
      client.write(
        bytes.subarray(0, Math.max(0, bytes.length - (answered - fault.afterBytes))),
        () => reset(client),
      );
    } else {
      later(() => client.write(bytes));
    }
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/**
 * Ends a connection with RST. One that is shutting down cannot be reset: libuv refuses, Node takes
 * the handle for closing all the same, and the process spins for ever when it exits.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
