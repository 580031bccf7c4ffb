import {
  boolCoreTag,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";

export type Scalar = string | number | boolean | null;

/** A YAML document with the offset at which each part stands in the text. */
export type YamlNode =
  | { kind: "scalar"; offset: number; value: Scalar; plain: boolean }
  | { kind: "list"; offset: number; items: YamlNode[] }
  | { kind: "map"; offset: number; entries: Map<string, YamlEntry> };

export interface YamlEntry {
  keyOffset: number;
  value: YamlNode;
}

/** What the text of a configuration may not be, and where. */
export class YamlError extends Error {
  override name = "YamlError";
  readonly offset: number;
  readonly expected: string | undefined;

  constructor(message: string, offset: number, expected?: string) {
    super(message);
    this.offset = offset;
    this.expected = expected;
  }
}

/** The longest text that is read, in UTF-8 bytes. */
export const BYTES_MAX = 1_048_576;
const ALIASES_MAX = 50;
const NODES_MAX = 100_000;

/**
 * Reads one YAML 1.2 document as data: no tags, no merge keys, no duplicate keys, keys are
 * strings. An empty text is an empty mapping. Bounded: 1 MiB, 50 aliases, depth 100, and 100,000
 * nodes once aliases are followed.
 * @throws YamlError
 */
export function parseYaml(text: string): YamlNode {
  if (Buffer.byteLength(text) > BYTES_MAX)
    throw new YamlError("it is too large", 0, `at most ${BYTES_MAX} bytes`);
  const reader = new EventReader(text, events(text));
  const root = reader.document();
  limitNodes(root);
  return root;
}

/** What an unquoted scalar means: null, a boolean, a number, else itself. */
export function plainScalar(text: string): Scalar {
  for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value: unknown = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value as Scalar;
  }
  return text;
}

/** A document as plain data, without prototypes to pollute: `__proto__` is a key like any other. */
export function plainData(node: YamlNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainData);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainData(entry.value)]));
}

function events(text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: 100 });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError(`not YAML: ${error.reason}`, error.mark?.position ?? 0);
  }
}

class EventReader {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, YamlNode>();
  #next = 0;
  #aliases = 0;

  constructor(text: string, stream: readonly Event[]) {
    this.#text = text;
    this.#events = stream;
  }

  document(): YamlNode {
    const documents = this.#events.filter((event) => event.type === EVENT_ID.DOCUMENT).length;
    if (documents === 0) return { kind: "map", offset: 0, entries: new Map() };
    if (documents > 1) throw new YamlError("more than one document", 0, "one document a file");
    this.#next = 1;
    const root = this.#node();
    const empty = root.kind === "scalar" && root.value === null;
    return empty ? { kind: "map", offset: 0, entries: new Map() } : root;
  }

  #node(): YamlNode {
    const event = this.#events[this.#next];
    this.#next += 1;
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#anchored(event, this.#scalar(event));
      case EVENT_ID.SEQUENCE:
        return this.#list(event);
      case EVENT_ID.MAPPING:
        return this.#map(event);
      case EVENT_ID.ALIAS:
        return this.#alias(event);
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
      case undefined:
        throw new TypeError("The YAML parser ended a value before it began");
    }
    // Unreachable: the cases are exhaustive.
    return event satisfies never;
  }

  #scalar(event: ScalarEvent): YamlNode {
    this.#refuseTag(event);
    const text = getScalarValue(this.#text, event);
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const quotes =
      event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    return {
      kind: "scalar",
      // An empty value has no place of its own: the place where it could have been written.
      offset: event.valueStart === -1 ? this.#lastOffset : event.valueStart - (quotes ? 1 : 0),
      value: plain ? plainScalar(text) : text,
      plain,
    };
  }

  #lastOffset = 0;

  #list(event: Extract<Event, { type: typeof EVENT_ID.SEQUENCE }>): YamlNode {
    this.#refuseTag(event);
    const node: YamlNode = { kind: "list", offset: event.start, items: [] };
    this.#anchored(event, node);
    while (!this.#popped()) node.items.push(this.#node());
    return node;
  }

  #map(event: Extract<Event, { type: typeof EVENT_ID.MAPPING }>): YamlNode {
    this.#refuseTag(event);
    const node: YamlNode = { kind: "map", offset: event.start, entries: new Map() };
    this.#anchored(event, node);
    while (!this.#popped()) {
      const key = this.#node();
      if (key.kind !== "scalar")
        throw new YamlError("a key that is not plain text", key.offset, "a name");
      const name = String(key.value);
      this.#lastOffset = key.offset;
      if (node.entries.has(name))
        throw new YamlError(`the key ${name} is given twice`, key.offset, "each key once");
      node.entries.set(name, { keyOffset: key.offset, value: this.#node() });
    }
    return node;
  }

  #alias(event: Extract<Event, { type: typeof EVENT_ID.ALIAS }>): YamlNode {
    this.#aliases += 1;
    if (this.#aliases > ALIASES_MAX)
      throw new YamlError("too many aliases", event.anchorStart, `at most ${ALIASES_MAX}`);
    const name = this.#text.slice(event.anchorStart, event.anchorEnd);
    const node = this.#anchors.get(name);
    if (node === undefined)
      throw new YamlError(`the alias *${name} has no anchor`, event.anchorStart, `&${name} above`);
    return node;
  }

  #anchored<T extends YamlNode>(event: { anchorStart: number; anchorEnd: number }, node: T): T {
    if (event.anchorStart !== -1)
      this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  #popped(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next += 1;
    return true;
  }

  #refuseTag(event: { tagStart: number; tagEnd: number }): void {
    if (event.tagStart === -1) return;
    const tag = this.#text.slice(event.tagStart, event.tagEnd);
    throw new YamlError(`the tag ${tag} is not allowed`, event.tagStart, "plain data");
  }
}

/** Follows aliases as a reader of the data would: a cycle or an explosion ends here. */
function limitNodes(root: YamlNode): void {
  let seen = 0;
  const visit = (node: YamlNode, depth: number): void => {
    seen += 1;
    if (seen > NODES_MAX || depth > 200)
      throw new YamlError("the aliases expand too far", node.offset, `at most ${NODES_MAX} values`);
    if (node.kind === "list") for (const item of node.items) visit(item, depth + 1);
    if (node.kind === "map")
      for (const entry of node.entries.values()) visit(entry.value, depth + 1);
  };
  visit(root, 0);
}
