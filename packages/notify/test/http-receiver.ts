import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** How a receiver answers: a status, or one with a place to go to; `hang` never answers. */
export type Answer = number | { status: number; location: string } | "hang";

/** A real HTTP server on the loopback that keeps what it gets. */
export class HttpReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  connections = 0;
  readonly #server: Server;

  private constructor(answers: (url: string, nth: number) => Answer) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const url = request.url ?? "";
        this.received.push({
          url,
          headers: request.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        });
        const answer = answers(url, this.received.length);
        if (answer === "hang") return;
        if (typeof answer === "number") response.writeHead(answer);
        else response.writeHead(answer.status, { location: answer.location });
        response.end("x".repeat(100_000));
      });
    });
    this.#server.on("connection", () => {
      this.connections += 1;
    });
  }

  static async start(
    answers: (url: string, nth: number) => Answer = () => 204,
  ): Promise<HttpReceiver> {
    const receiver = new HttpReceiver(answers);
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = "/hook"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
