import type { YamlNode } from "@holdfast/document";
import type { Sources } from "../layers/sources.ts";
import { entryAt, scalar } from "./entry-at.ts";
import type { Rule, RuleFinding } from "./rule.ts";

const STORE = "vector_store.config";

/** What the schema cannot say of where memories are stored. */
export const vectorStoreRules: readonly Rule[] = [
  pathGivesWay,
  serverNeedsHost,
  cloudNeedsToken,
  keysOfAnotherMode,
  hostIsOnlyAName,
  secretHeadersByReference,
];

function pathGivesWay(root: YamlNode): RuleFinding[] {
  const older = entryAt(root, `${STORE}.path`);
  if (older === undefined) return [];
  const both = entryAt(root, `${STORE}.persist_directory`) !== undefined;
  return [
    {
      severity: "note",
      rule: "older-name",
      offset: older.keyOffset,
      path: `${STORE}.path`,
      message: both
        ? "is the older name of persist_directory, which is given too and wins"
        : "is the older name of persist_directory",
    },
  ];
}

function serverNeedsHost(root: YamlNode): RuleFinding[] {
  const mode = entryAt(root, `${STORE}.mode`);
  if (mode === undefined || scalar(mode) !== "server") return [];
  if (entryAt(root, `${STORE}.host`) !== undefined) return [];
  return [
    {
      severity: "error",
      rule: "server-needs-host",
      offset: mode.keyOffset,
      path: `${STORE}.mode`,
      message: "server needs a host",
      expected: "a line host: NAME beside it",
    },
  ];
}

function cloudNeedsToken(root: YamlNode): RuleFinding[] {
  const mode = entryAt(root, `${STORE}.mode`);
  if (mode === undefined || scalar(mode) !== "cloud") return [];
  if (entryAt(root, `${STORE}.token`) !== undefined) return [];
  return [
    {
      severity: "error",
      rule: "cloud-needs-token",
      offset: mode.keyOffset,
      path: `${STORE}.mode`,
      message: "cloud needs a token",
      expected: "a line token: { env: CHROMA_API_KEY } beside it",
    },
  ];
}

const KEYS_OF_MODE: Readonly<Record<string, readonly string[]>> = {
  managed: [
    "persist_directory",
    "path",
    "command",
    "allow_reset",
    "keep_replayable",
    "anonymized_telemetry",
    "tenant",
    "database",
  ],
  server: ["host", "port", "ssl", "headers", "tenant", "database", "token"],
  cloud: ["host", "port", "tenant", "database", "token"],
};

/** What a layer below states for a mode that one above it replaced is not reported. */
function keysOfAnotherMode(root: YamlNode, sources: Sources): RuleFinding[] {
  const mode = modeOf(root);
  const decidedAt = entryAt(root, `${STORE}.mode`) ?? entryAt(root, `${STORE}.host`);
  const replaced = (offset: number): boolean =>
    decidedAt !== undefined &&
    offset < decidedAt.keyOffset &&
    sources.layerAt(offset) !== sources.layerAt(decidedAt.keyOffset);
  const own = KEYS_OF_MODE[mode] ?? [];
  const others = new Set(Object.values(KEYS_OF_MODE).flat());
  return [...others]
    .filter((key) => !own.includes(key))
    .flatMap((key) => {
      const entry = entryAt(root, `${STORE}.${key}`);
      if (entry === undefined || replaced(entry.keyOffset)) return [];
      return [
        {
          severity: "warning" as const,
          rule: "no-effect",
          offset: entry.keyOffset,
          path: `${STORE}.${key}`,
          message: `has no effect in mode ${mode}`,
        },
      ];
    });
}

function hostIsOnlyAName(root: YamlNode): RuleFinding[] {
  const host = entryAt(root, `${STORE}.host`);
  if (host === undefined || !/[/@\s]/.test(String(scalar(host)))) return [];
  return [
    {
      severity: "error",
      rule: "host-is-a-name",
      offset: host.value.offset,
      path: `${STORE}.host`,
      message: "is more than a name or address",
      expected: "chroma.example.org, with port and ssl on their own lines",
    },
  ];
}

const SECRET_HEADER = /^(authorization|proxy-authorization|cookie|x-api-key|x-chroma-token)$/i;

function secretHeadersByReference(root: YamlNode): RuleFinding[] {
  const headers = entryAt(root, `${STORE}.headers`)?.value;
  if (headers?.kind !== "map") return [];
  return [...headers.entries]
    .filter(([name, entry]) => SECRET_HEADER.test(name) && entry.value.kind === "scalar")
    .map(([name, entry]) => ({
      severity: "error" as const,
      rule: "secret-in-file",
      offset: entry.value.offset,
      path: `${STORE}.headers.${name}`,
      message: "secrets are not written into the file",
      expected: "{env: NAME} or {file: PATH}",
    }));
}

/** The mode in force: as given, else server when there is a host, else managed. */
export function modeOf(root: YamlNode): "managed" | "server" | "cloud" {
  const given = entryAt(root, `${STORE}.mode`);
  if (given !== undefined) return scalar(given) as "managed" | "server" | "cloud";
  return entryAt(root, `${STORE}.host`) === undefined ? "managed" : "server";
}
