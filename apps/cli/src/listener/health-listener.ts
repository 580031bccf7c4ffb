import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HoldfastError } from "@holdfast/core";
import { FRESH_INTERVALS, type HealthReport } from "@holdfast/recovery";
import { refusalOf } from "./admission.ts";
import { healthDocument, isServing } from "./health-document.ts";
import { isLoopback, type ListenAddress } from "./listen-address.ts";

export interface HealthListenerOptions extends ListenAddress {
  /** Asked of everybody; needed beyond loopback. */
  token: string | undefined;
  /** Of the health loop: without a look for three of them, the monitor counts as dead. */
  intervalMs: number;
  version: string;
}

export interface HealthListenerDeps {
  report: () => HealthReport;
  /** The metrics, as text, and its content type. */
  metrics: (accept: string) => { text: string; contentType: string };
  /** Milliseconds since the last look ended; undefined before the first. */
  lookAgeMs: () => number | undefined;
}

const CONNECTIONS_MAX = 64;
const REQUEST_LIMIT_MS = 10_000;
/** A first look may have to wait for a server to be fetched and started. */
const FIRST_LOOK_LIMIT_MS = 300_000;

/**
 * Serves `/livez` (the monitor watches), `/readyz` (the store serves), `/health` and `/metrics`.
 * Loopback by default. Close it with `close`.
 */
export class HealthListener {
  readonly #options: HealthListenerOptions;
  readonly #deps: HealthListenerDeps;
  readonly #server: Server;
  readonly #beganAt = performance.now();

  constructor(options: HealthListenerOptions, deps: HealthListenerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#server = createServer(
      { requestTimeout: REQUEST_LIMIT_MS, headersTimeout: REQUEST_LIMIT_MS },
      (request, response) => this.#answerOrRefuse(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves with its URL. @throws HoldfastError `LISTEN_TOKEN_NEEDED`, `LISTEN_FAILED`. */
  async open(): Promise<string> {
    const { host, port, token } = this.#options;
    if (!isLoopback(host) && token === undefined) {
      throw new HoldfastError(`${host} is reached from other machines, and no token is asked for`, {
        code: "LISTEN_TOKEN_NEEDED",
        hint: "Set health.token: {env: NAME}, or listen on 127.0.0.1.",
      });
    }
    this.#server.listen(port, host);
    try {
      await once(this.#server, "listening");
    } catch (error) {
      throw new HoldfastError(
        `${host}:${port} cannot be listened on: ${(error as Error).message}`,
        {
          code: "LISTEN_FAILED",
          hint: "Give --listen another port.",
          cause: error,
        },
      );
    }
    // A connection for which no descriptor is left is lost; the monitor is not.
    this.#server.on("error", () => undefined);
    const { port: actual } = this.#server.address() as AddressInfo;
    return `http://${host.includes(":") ? `[${host}]` : host}:${actual}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** What cannot be read this moment must not end the monitor that is asked for it. */
  #answerOrRefuse(request: IncomingMessage, response: ServerResponse): void {
    try {
      this.#answer(request, response);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      send(response, 503, `${error.code}\n`);
    }
  }

  #answer({ method = "", headers, url = "" }: IncomingMessage, response: ServerResponse): void {
    const refusal = refusalOf(method, headers, this.#options.token);
    if (refusal !== undefined) {
      if (refusal.status === 401) response.setHeader("WWW-Authenticate", "Bearer");
      if (refusal.status === 405) response.setHeader("Allow", "GET, HEAD");
      return send(response, refusal.status, `${refusal.reason}\n`);
    }
    const { report, metrics } = this.#deps;
    const path = url.split("?")[0];
    if (path === "/livez") {
      const alive = this.#watches();
      return send(response, alive ? 200 : 503, alive ? "ok\n" : "it has stopped looking\n");
    }
    if (path === "/readyz") {
      const current = report();
      return send(response, isServing(current) ? 200 : 503, `${current.status}\n`);
    }
    if (path === "/health") {
      const current = report();
      const body = JSON.stringify(healthDocument(current, this.#options.version));
      return send(response, isServing(current) ? 200 : 503, body, "application/health+json");
    }
    if (path === "/metrics") {
      const { text, contentType } = metrics(headers.accept ?? "");
      return send(response, 200, text, contentType);
    }
    return send(response, 404, "/livez, /readyz, /health and /metrics are here\n");
  }

  /** A monitor that no longer looks is to be restarted; one that sees trouble is not. */
  #watches(): boolean {
    const age = this.#deps.lookAgeMs();
    if (age === undefined) return performance.now() - this.#beganAt < FIRST_LOOK_LIMIT_MS;
    return age <= Math.max(FIRST_LOOK_LIMIT_MS, FRESH_INTERVALS * this.#options.intervalMs);
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, {
    "Content-Type": contentType,
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
