import { COMMAND_PATTERNS } from "./command-patterns.ts";
import { isPlaceholder } from "./placeholder.ts";
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
      /authorization\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?(?:[A-Za-z][\w-]{0,20}\s{1,4})?(?<secret>[^\s"'\\,;<>${}()[\]]{4,})(?![^\s"'\\,;<>${}()[\]]|\s{1,4}\[redacted:)/gi,
    accepts: ({ secret = "" }) =>
      !/^(?:bearer|basic|digest|token|apikey|negotiate|null|undefined|…)$/i.test(secret) &&
      (!/^\w+\./.test(secret) || /\d/.test(secret)),
  },
  {
    kind: "header",
    hints: ["uthorization", "UTHORIZATION"],
    // Of those that have several parts, the one that proves who asks.
    expression:
      /(?<=authorization[^\n]{0,1000}?[\s,](?:response|(?:oauth_)?signature|mac|cnonce)=\\*["']?)(?<secret>[^\s"'\\,]{8,})/gi,
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
    // Names of users are in one case.
    accepts: ({ secret = "" }) =>
      /\d/.test(secret) || (/[a-z]/.test(secret) && /[A-Z]/.test(secret)),
  },
  {
    kind: "url-parameter",
    hints: ["?", "&"],
    expression: /[?&](?<name>[\w.-]{1,60})=(?<secret>[^\s&#"'<>\\]{4,})/g,
    accepts: ({ name = "", secret = "" }) =>
      (senseOfName(name) !== undefined ||
        /^(?:(?:[\w.-]+-)?sig(?:nature)?|key|code|auth)$/i.test(name)) &&
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
  ...COMMAND_PATTERNS,
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
    hints: ["value", "Value"],
    // A name, and the value as a pair of its own: as containers and settings files have them.
    expression:
      /\b(?:key|name)\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?(?<name>[A-Za-z_][\w.:-]{1,80})\\*["']?(?:\s|\\n|,){1,40}\\*["']?value\\*["']?\s{0,4}[:=]\s{0,4}/gi,
    value: new RegExp(String.raw`${QUOTED}|(?<secret3>[^\s"'\x60,;&|<>(){}[\]\\]{3,4096})`, "y"),
    accepts: (groups) => isValue(groups, true),
  },
  {
    kind: "pair",
    hints: ["value"],
    expression:
      /"value"\s{0,4}:\s{0,4}"(?<secret>[^"\n]{3,4096})"\s{0,4},\s{0,40}"(?:key|name)"\s{0,4}:\s{0,4}"(?<name>[A-Za-z_][\w.:-]{1,80})"/gi,
    accepts: (groups) => senseOfName(groups["name"] ?? "") !== undefined && isValue(groups, true),
  },
  {
    kind: "pair",
    hints: ["("],
    // A name and its value, as two arguments.
    expression: /\(\s{0,4}["'](?<name>[A-Za-z_][\w.-]{1,80})["']\s{0,4},\s{0,4}/g,
    value: new RegExp(QUOTED, "y"),
    accepts: (groups) => isQuotedSecret(groups) && /\d/.test(valueOf(groups)),
  },
  {
    kind: "pair",
    hints: ["IDENTIFIED", "identified", "PASSWORD", "password"],
    // SQL.
    expression:
      /\b(?:identified\s{1,4}by|(?:with|encrypted|login|role|user)\b[^\n;]{0,60}\bpassword)\s{1,4}(?<quote>["'])(?<secret>[^"'\n]{2,200})\k<quote>/gi,
    accepts: ({ secret = "" }) => !isPlaceholder(secret),
  },
  {
    kind: "pair",
    hints: ["(", "auth"],
    // A user and a password, as the first two arguments of what signs in.
    expression:
      /(?:(?:credentials?|basic_?auth|passwordauthentication|(?<![A-Za-z])login)\(|\bauth\s{0,2}=\s{0,2}\()\s{0,4}["'][^"'\n]{1,100}["']\s{0,4},\s{0,4}(?:Some\()?["'](?<secret>[^"'\n]{3,200})["']/gi,
    accepts: ({ secret = "" }) => !isPlaceholder(secret) && !/\s/.test(secret),
  },
  {
    kind: "pgpass",
    hints: [":"],
    expression:
      /(?<![^\s"'`])[\w.*-]{1,253}:(?:\d{4,5}|\*):[^:\s]{1,63}:[^:\s]{1,63}:(?<secret>[^:\s"'`]{2,200})(?![^\s"'`])/g,
    accepts: ({ secret = "" }) => !isPlaceholder(secret),
  },
  {
    kind: "pair",
    hints: ["bearer_auth", "bearerAuth", "BearerAuth"],
    expression: /\bbearer_?auth\(\s{0,4}["'](?<secret>[^"'\n]{8,4096})["']/gi,
    accepts: ({ secret = "" }) => !isPlaceholder(secret),
  },
  {
    kind: "seed-phrase",
    hints: ["phrase", "mnemonic", "seed"],
    expression:
      /\b(?:seed|recovery|backup|wallet)?\s?(?:phrase|mnemonic|words)\b["']?(?:\s{1,4}is)?\s{0,4}[:=]?\s{0,4}["']?(?<secret>(?:[a-z]{3,8}\s{1,3}){11,23}[a-z]{3,8})\b/gi,
  },
  {
    kind: "pair",
    hints: ["cred", "login", "user"],
    expression:
      /\b(?:creds?|credentials|login|user\/pass(?:word)?)\s{0,4}[:=]\s{0,4}\S{1,80}\s{0,4}\/\s{0,4}(?<secret>[^\s/,;"']{5,80})(?![^\s,;."'])/gi,
    accepts: isNoWord,
  },
  {
    kind: "pair",
    hints: [" key", "-key", "oken", "OKEN", "ecret", "ECRET"],
    // As people write it down: the API key is …
    expression:
      /\b(?:(?:api|access|secret|auth|account|license|encryption|signing|shared|private|admin)[ -](?:access[ -])?key|token|secret)(?:\s{0,4}[:=]|\s{1,4}(?:is|was|ist|lautet)\s?:?)\s{0,4}["'`]?(?<secret>[^\s"'`,;()[\]{}]{12,})(?![^\s"'`,;)\]}])/gi,
    accepts: isNoWord,
  },
  {
    kind: "pair",
    hints: ["assw", "ASSW", "assphrase", "asscode", "ennwort", "ontrase", "mot de passe", "senha"],
    expression:
      /\b(?:password|passphrase|passcode|passwort|kennwort|contrase\u{f1}a|mot de passe|senha)\s{1,4}(?:(?:is|was|will be|to|ist|war|lautet|es|est|\u{e9})\s{1,4}:?\s{0,4})?["'`]?(?<secret>[^\s"'`,;()]{5,})/giu,
    // In prose only what no word looks like.
    accepts: isNoWord,
  },
];

function isNoWord({ secret = "" }: Groups): boolean {
  return (
    /\d/.test(secret) &&
    /[A-Za-z]/.test(secret) &&
    !/^[\w-]+\.[a-z]{2,4}$/.test(secret) &&
    !isPlaceholder(secret)
  );
}

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
