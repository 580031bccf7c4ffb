import { senseOfName, wordsOf } from "./secret-names.ts";
import type { SecretPattern } from "./secret-patterns.ts";

type Groups = Readonly<Record<string, string | undefined>>;

const NAME = String.raw`(?<name>[A-Za-z_][A-Za-z0-9_.-]{0,80})`;
/** In quotes, or in quotes that a text within a text has escaped. */
const QUOTED = String.raw`(?:(?<quote>["'\x60])(?<secret>(?:\\.|(?!\k<quote>)[^\\\n]){1,4096})\k<quote>|(?<escaped>\\+["'])(?<secret2>(?:(?!\k<escaped>)[^\n]){1,4096}?)\k<escaped>)`;

/**
 * Secrets that show by what stands around them: addresses, headers, flags, pairs. The order
 * matters: what an earlier one took out, a later one does not see.
 */
export const CREDENTIAL_PATTERNS: readonly SecretPattern[] = [
  {
    kind: "header",
    hints: ["uthorization", "UTHORIZATION"],
    expression:
      /authorization\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?(?:[A-Za-z][\w-]{0,20}\s{1,4})?(?<secret>[^\s"'\\,;<>${}()[\]]{4,})/gi,
    accepts: ({ secret = "" }) =>
      !/^(?:bearer|basic|digest|token|apikey|negotiate|null|undefined|…)$/i.test(secret) &&
      (!/^\w+\./.test(secret) || /\d/.test(secret)),
  },
  {
    kind: "bearer",
    hints: ["earer", "EARER"],
    expression: /\bbearer\s{1,4}(?<secret>[A-Za-z0-9._~+/-]{8,}={0,2})/gi,
    accepts: ({ secret = "" }) => /\d/.test(secret) || secret.length >= 24,
  },
  {
    kind: "cookie",
    hints: ["ookie", "OOKIE"],
    expression:
      /\b(?:set-)?cookie\\*["']?\s{0,4}:\s{0,4}\\*["']?(?<secret>[\w.-]+=[^\n"'\\]{4,})/gi,
  },
  {
    kind: "url-password",
    hints: ["://"],
    // Everything up to the last @ before the path: passwords with an @ in them are not rare.
    expression:
      /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"'<>\\]{0,256}:(?<secret>[^\s/"'<>\\]{1,512})@/gi,
    accepts: ({ secret = "" }) => !isPlaceholder(secret),
  },
  {
    kind: "url-password",
    hints: ["://"],
    expression: /\b[a-z][a-z0-9+.-]{0,30}:\/\/(?<secret>[^\s:/@"'<>\\]{20,256})@/gi,
    accepts: ({ secret = "" }) => /\d/.test(secret),
  },
  {
    kind: "url-parameter",
    hints: ["?", "&"],
    expression: /[?&](?<name>[\w.-]{1,60})=(?<secret>[^\s&#"'<>\\]{4,})/g,
    accepts: ({ name = "", secret = "" }) =>
      (senseOfName(name) !== undefined || /^(?:sig|signature|key|code|auth)$/i.test(name)) &&
      !isPlaceholder(secret) &&
      (senseOfName(name) !== undefined || secret.length >= 16),
  },
  {
    kind: "flag",
    hints: ["-"],
    expression: new RegExp(
      String.raw`(?<![\w-])--?${NAME}(?:=|\s{1,4}|\\*["']\s{0,4},\s{0,4})`,
      "g",
    ),
    value: new RegExp(String.raw`${QUOTED}|(?<secret3>[^\s"'\x60\\-][^\s"'\x60]{2,4096})`, "y"),
    accepts: (groups) => isValue(groups, true),
  },
  {
    kind: "flag",
    hints: ["-p"],
    expression:
      /\b(?:mysql|mysqldump|mysqladmin|mariadb|sshpass|docker login|podman login)\b[^\n|;&]{0,300}?\s-p\s{0,4}["']?(?<secret>[^\s"'-][^\s"']{2,})/g,
  },
  {
    kind: "flag",
    hints: ["curl", "wget", "http"],
    expression:
      /\b(?:curl|wget|https?)\b[^\n|;&]{0,300}?\s(?:-u|--user|-a|--auth)[\s=]{0,4}["']?[^\s:"']{1,100}:(?<secret>[^\s"']{2,})/g,
    accepts: ({ secret = "" }) => !isPlaceholder(secret) && !secret.startsWith("//"),
  },
  {
    kind: "flag",
    hints: ["redis-cli", "pass:"],
    expression:
      /(?:\bredis-cli\b[^\n|;&]{0,300}?\s-a\s{1,4}|\s-pass(?:in|out)?\s{1,4}pass:)["']?(?<secret>[^\s"']{2,})/g,
  },
  {
    kind: "pair",
    hints: ["="],
    // A line of an .env file, or a variable before a command: all up to the blank.
    expression: /(?<=^|[\s;&|"'`(])(?<name>[A-Z][A-Z0-9_]{1,80})=(?<secret>[^\s"'`]{3,4096})/gm,
    accepts: (groups) => senseOfName(groups["name"] ?? "") !== undefined && isValue(groups, true),
  },
  {
    kind: "pair",
    hints: ["=", ":"],
    expression: new RegExp(
      String.raw`(?<![\w$])${NAME}\\*["'\x60]?\]?(?<separator>\s{0,4}(?::=|=>|[:=])\s{0,8})`,
      "g",
    ),
    value: new RegExp(String.raw`${QUOTED}|(?<bare>[^\s"'\x60,;&|<>(){}[\]\\]{3,4096})(?!\()`, "y"),
    accepts: (groups) =>
      groups["bare"] === undefined ? isQuotedSecret(groups) : isBareSecret(groups),
  },
  {
    kind: "pair",
    hints: ["</"],
    expression: /<(?<name>[A-Za-z][\w.-]{0,60})>\s{0,4}(?<secret>[^<>\s]{3,4096})\s{0,4}<\//g,
    accepts: (groups) => senseOfName(groups["name"] ?? "") !== undefined && isValue(groups, true),
  },
  {
    kind: "pair",
    hints: ["assword", "assphrase", "asscode"],
    expression:
      /\b(?:password|passphrase|passcode)\s{1,4}(?:(?:is|was|will be|to)\s{1,4})?["'`]?(?<secret>[^\s"'`,;()]{5,})/gi,
    // In prose only what no word looks like.
    accepts: ({ secret = "" }) =>
      /\d/.test(secret) &&
      /[A-Za-z]/.test(secret) &&
      !/^[\w-]+\.[a-z]{2,4}$/.test(secret) &&
      !isPlaceholder(secret),
  },
];

function isQuotedSecret(groups: Groups): boolean {
  const sense = senseOfName(groups["name"] ?? "");
  if (sense === undefined) return false;
  const value = valueOf(groups);
  if (value.length < (sense === "password" ? 3 : 6)) return false;
  // A message about a password has words; a passphrase has them too.
  const isSentence = /\s/.test(value) && !/phrase/i.test(groups["name"] ?? "");
  return !isSentence && isValue(groups, false);
}

function isBareSecret(groups: Groups): boolean {
  const { name = "", separator = "" } = groups;
  const sense = senseOfName(name);
  const value = valueOf(groups);
  if (sense === undefined || !isValue(groups, true)) return false;
  // Code: a type, a variable, a member of something.
  const isIdentifier = /^[A-Za-z_$][\w$]*[?!]?$/.test(value);
  if (/^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$#][\w$]*)+$/.test(value)) return false;
  if (!isIdentifier) return sense === "password" || /[A-Za-z0-9]{4}/.test(value);
  if (separator === "=" && !/^[A-Z]\w*$/.test(value)) return true;
  return /\d/.test(value) && /[A-Za-z]/.test(value) && value.length >= 6;
}

function isValue(groups: Groups, whole: boolean): boolean {
  const value = valueOf(groups);
  if (isPlaceholder(value)) return false;
  if (!whole && !/[A-Za-z0-9]/.test(value)) return false;
  const named = new Set(wordsOf(groups["name"] ?? ""));
  return !wordsOf(value).every((word) => named.has(word));
}

/** What a match would take out; empty when that is all of it. */
export function valueOf(groups: Groups): string {
  return groups["secret"] ?? groups["secret2"] ?? groups["secret3"] ?? groups["bare"] ?? "";
}

const PLACEHOLDER =
  /^(?:\$[({A-Za-z_]|\{\{?|<|%[A-Za-z(]|\*+$|x{3,}$|X{3,}$|\.{3}|…|\[redacted:|#\{|@[A-Za-z{]|(?:null|none|nil|true|false|undefined|optional|required|string|number|boolean|object|any|unknown|never|void|str|int|bool|bytes|env|file|process|include|omit|same-origin|your|my)(?![A-Za-z0-9]))/;

/** Something that stands where a secret would: a variable, a type, an example's blank. */
function isPlaceholder(value: string): boolean {
  return (
    PLACEHOLDER.test(value) ||
    /^(?:your|my|the|some)[-_ ]/i.test(value) ||
    /\[redacted:/.test(value)
  );
}
