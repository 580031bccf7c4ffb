import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { Server } from "node:net";
import { join } from "node:path";
import { configSchema } from "@holdfast/config";
import { type CliResult, Sandbox } from "../run-cli.ts";

/** What the test of a key works with: a user's empty folder, and the command line in it. */
export class Bench {
  readonly sandbox: Sandbox = new Sandbox();
  readonly #servers: Server[] = [];

  get folder(): string {
    return this.sandbox.folder;
  }

  get file(): string {
    return join(this.folder, "holdfast.yaml");
  }

  configure(text: string): void {
    writeFileSync(this.file, text);
  }

  /** As `configure`, over a store that nothing answers for; `more` are lines at the top level. */
  configureDead(more: string): void {
    this.configure(`vector_store: {config: {host: 127.0.0.1, port: 9}}\n${more}\n`);
  }

  async run(...args: string[]): Promise<CliResult> {
    return this.sandbox.run([...args, "--json"]);
  }

  /** The port, on loopback, of a server that is closed after the test. */
  async listen(server: Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#servers.push(server);
    return (server.address() as { port: number }).port;
  }

  /** A server that answers nothing well, and remembers what it was asked. */
  async listener(): Promise<{ port: number; asked: IncomingMessage[] }> {
    const asked: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      asked.push(request);
      response.writeHead(500).end("{}");
    });
    return { port: await this.listen(server), asked };
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.sandbox.remove();
  }
}

/** Shows a behaviour that changes with the key. */
export type KeyTest = (bench: Bench) => Promise<void>;

/**
 * The tests of one section of the configuration, in a file `<section>.test.ts` of its own: every
 * key of it with a test. A key is named by its path within the section; "" is the section itself.
 */
export function keyTests(section: string, keys: Readonly<Record<string, KeyTest>>): void {
  let bench: Bench;
  beforeEach(() => void (bench = new Bench()));
  afterEach(() => bench.close());

  const named = Object.entries(keys).map(([key, check]) => [pathOf(section, key), check] as const);
  test.each(named)("%s changes what happens", async (_path, check) => {
    expect.hasAssertions();
    await check(bench);
  });

  test(`no key of ${section} is decoration: each has such a test`, () => {
    const properties = configSchema.properties as Readonly<Record<string, SchemaNode>>;
    const own = properties[section] ?? {};
    expect(Object.keys(keys).toSorted()).toEqual(leaves(own, "").toSorted());
  });
}

export interface SchemaNode {
  properties?: Readonly<Record<string, SchemaNode>>;
  items?: SchemaNode;
  additionalProperties?: boolean | SchemaNode;
}

/** The paths of a schema's keys; `[]` stands for the items of a list, `*` for names of one's own. */
function leaves(schema: SchemaNode, path: string): string[] {
  if (isSecret(schema)) return [path];
  const { properties = {}, items, additionalProperties: others } = schema;
  const below = Object.entries(properties).flatMap(([key, property]) =>
    leaves(property, pathOf(path, key)),
  );
  if (hasKeys(items)) below.push(...leaves(items, `${path}[]`));
  if (hasKeys(others)) below.push(...leaves(others, `${path}.*`));
  return below.length === 0 ? [path] : below;
}

const pathOf = (path: string, key: string): string =>
  [path, key].filter((part) => part !== "").join(".");

function hasKeys(schema: boolean | SchemaNode | undefined): schema is SchemaNode {
  return typeof schema === "object" && !isSecret(schema) && schema.properties !== undefined;
}

const isSecret = ({ properties = {} }: SchemaNode): boolean =>
  Object.keys(properties).join() === "env,file";
