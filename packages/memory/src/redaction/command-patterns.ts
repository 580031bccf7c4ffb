import { isPlaceholder } from "./placeholder.ts";
import type { SecretPattern } from "./secret-patterns.ts";

type Groups = Readonly<Record<string, string | undefined>>;

/** The rest of a command, up to an option; not beyond what ends it. */
const REST = String.raw`[^\n|;&]{0,300}?\s`;
const ARGUMENT = String.raw`["']?(?<secret>[^\s"'-][^\s"']{2,})`;
/** What is given to a program that reads a password from its input. */
const FROM_INPUT =
  String.raw`(?:sudo\s(?:[^|\n]{0,60}\s)?-[a-zA-Z]{0,4}S\b|chpasswd\b|` +
  String.raw`[^|\n]{0,200}--(?:password-stdin|passphrase-fd|with-token|stdin)\b)`;

const isNoPlaceholder = ({ secret = "" }: Groups): boolean => !isPlaceholder(secret);

/** Options and arguments that are passwords for certain programs only. */
export const COMMAND_PATTERNS: readonly SecretPattern[] = [
  {
    kind: "flag",
    hints: ["-p"],
    expression: new RegExp(
      String.raw`\b(?:mysql|mysqldump|mysqladmin|mariadb|mongo|mongosh|mongodump|mongorestore|sshpass|7za?|cqlsh|` +
        String.raw`(?:docker|podman|buildah|helm registry|az|oc) login)\b${REST}-p\s{0,4}${ARGUMENT}`,
      "g",
    ),
    accepts: isNoPlaceholder,
  },
  {
    kind: "flag",
    hints: ["-P "],
    expression: new RegExp(
      String.raw`\b(?:zip|unzip|sqlcmd|bcp|mosquitto_[a-z]{2,4})\b${REST}-P\s{1,4}${ARGUMENT}`,
      "g",
    ),
    accepts: isNoPlaceholder,
  },
  {
    kind: "flag",
    hints: ["ldap"],
    expression: new RegExp(String.raw`\bldap[a-z]{3,8}\b${REST}-w\s{1,4}${ARGUMENT}`, "g"),
    accepts: isNoPlaceholder,
  },
  {
    kind: "flag",
    hints: ["-U"],
    // Of Samba: a user, and the password behind a percent sign.
    expression: /\s-U\s{0,4}["']?[\w.\\-]{1,60}%(?<secret>[^\s"']{3,})/g,
    accepts: isNoPlaceholder,
  },
  {
    kind: "flag",
    hints: ["ssh-keygen", "net use", "/p"],
    expression: new RegExp(
      String.raw`(?:\bssh-keygen\b${REST}-N\s{1,4}|\bnet\s{1,4}use\s{1,4}\S{1,200}\s{1,4}(?!/)|\s/p(?:ass(?:word)?)?:(?!\w{1,60}=))["']?(?<secret>[^\s"']{3,})`,
      "g",
    ),
    accepts: isNoPlaceholder,
  },
  {
    kind: "flag",
    hints: ["htpasswd", "rabbitmqctl"],
    expression:
      /\b(?:htpasswd\s{1,4}-[a-zA-Z]{0,4}b[a-zA-Z]{0,4}\s{1,4}\S{1,200}|rabbitmqctl\s{1,4}(?:add_user|change_password))\s{1,4}\S{1,100}\s{1,4}["']?(?<secret>[^\s"']{3,})/g,
    accepts: isNoPlaceholder,
  },
  {
    kind: "flag",
    hints: ["curl", "wget", "http"],
    expression: new RegExp(
      String.raw`\b(?:curl|wget|https?)\b${REST}(?:-u|--user|-a|--auth)[\s=]{0,4}["']?[^\s:"']{1,100}:(?<secret>[^\s"']{2,})`,
      "g",
    ),
    accepts: ({ secret = "" }) => !isPlaceholder(secret) && !secret.startsWith("//"),
  },
  {
    kind: "cookie",
    hints: ["curl"],
    expression: new RegExp(
      String.raw`\bcurl\b${REST}(?:-b|--cookie)[\s=]{0,4}["']?(?<secret>[\w.-]{1,80}=[^"'\n]{6,})`,
      "g",
    ),
  },
  {
    kind: "flag",
    hints: ["redis-cli", "pass:"],
    expression:
      /(?:\bredis-cli\b[^\n|;&]{0,300}?\s-a\s{1,4}|\s-pass(?:in|out)?\s{1,4}pass:)["']?(?<secret>[^\s"']{2,})/g,
  },
  {
    kind: "piped",
    hints: ["|"],
    expression: new RegExp(
      String.raw`\b(?:echo|printf)\s{1,4}(?:-[a-zA-Z]{1,3}\s{1,4}|["']?%s(?:\\n)?["']?\s{1,4})?["']?(?<secret>[^\s"'|]{3,200})["']?\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?${FROM_INPUT}`,
      "g",
    ),
    accepts: isNoPlaceholder,
  },
  {
    kind: "piped",
    hints: ["<<<"],
    expression: new RegExp(
      String.raw`(?<![^\s;|&(])${FROM_INPUT}[^|\n]{0,60}?<<<\s{0,4}["']?(?<secret>[^\s"']{3,})`,
      "g",
    ),
    accepts: isNoPlaceholder,
  },
  {
    kind: "argument",
    hints: ["login"],
    expression:
      /\b(?:wandb|railway|huggingface-cli|hf|vault)\s{1,4}login\s{1,4}(?:--?[\w-]{1,30}\s{1,4}){0,3}(?<secret>[A-Za-z0-9_.-]{20,})/g,
  },
  {
    kind: "pair",
    hints: ["set ", "setenv", "setx", "config "],
    // A name and its value, with nothing but a blank between them.
    expression:
      /\b(?:set|setenv|setx|config(?!\s{1,4}set\s))\s{1,4}(?:--?[\w-]{1,20}\s{1,4}){0,3}(?<name>[\w.:/@-]{1,120})\s{1,4}/g,
    value: /(?:--body\s{1,4})?["']?(?<secret>[^\s"'=-][^\s"']{2,4096})/y,
    // A word may be the next one of a sentence.
    accepts: ({ secret = "" }) => /[^a-z.,]/.test(secret) && !isPlaceholder(secret),
  },
];
