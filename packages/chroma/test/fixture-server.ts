import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** Answers, or answers never by returning undefined. */
export type Handler = (
  request: SeenRequest,
) => { status?: number; headers?: Record<string, string>; body: unknown } | undefined;

/** A server that says what a test wants, and sees who is connected. */
export class FixtureServer implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  handler: Handler;
  readonly #server: Server;
  #unanswered = 0;
  #waiting: (() => void)[] = [];

  private constructor(handler: Handler) {
    this.handler = handler;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
    // Chroma closes no connection that is idle: on a busy machine it would be the one just used.
    this.#server.keepAliveTimeout = 0;
  }

  static async start(handler: Handler, port = 0): Promise<FixtureServer> {
    const fixture = new FixtureServer(handler);
    fixture.#server.listen(port, "127.0.0.1");
    await once(fixture.#server, "listening");
    return fixture;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once the connections of all unanswered requests are closed by the other side. */
  async deserted(): Promise<void> {
    while (this.#unanswered > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves once that many requests have come in whole. */
  async received(count: number): Promise<void> {
    while (this.seen.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen: SeenRequest = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.seen.push(seen);
    this.#wake();
    const answer = this.handler(seen);
    this.#unanswered += 1;
    const settle = (): void => {
      this.#unanswered -= 1;
      this.#wake();
    };
    response.once("close", settle);
    if (answer === undefined) return;
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status ?? 200, {
      "content-type": typeof answer.body === "string" ? "text/html" : "application/json",
      ...answer.headers,
    });
    response.end(text);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Routes enough for a handle on one collection; `records` answers what goes to its records. */
export function oneCollection(id: string, records: Handler): Handler {
  return (request) => {
    if (request.path === "/api/v2/pre-flight-checks") {
      return { body: { max_batch_size: 100, supports_base64_encoding: true } };
    }
    if (request.path.endsWith("/collections/memories")) return { body: { id, metadata: null } };
    return records(request);
  };
}
