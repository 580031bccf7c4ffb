/** What a name's words say: `dbPassword`, `AWS_SECRET_ACCESS_KEY` and `x-api-key` name secrets. */

const PASSWORDS = new Set([
  "password",
  "passwd",
  "pwd",
  "passphrase",
  "passcode",
  "passwort",
  "pass",
  "pw",
  "dbpass",
  "keypass",
  "psk",
  "sshpass",
  "storepass",
  "userpass",
]);
const SECRETS = new Set([
  "secret",
  "secrets",
  "token",
  "apikey",
  "apitoken",
  "credential",
  "credentials",
  "cred",
  "creds",
  "jwt",
  "authtoken",
  "accesstoken",
  "secretkey",
  "privatekey",
]);
/** Before `key`: as in `api_key`. Other keys open nothing, as `primary_key`. */
const KEYS = new Set([
  "access",
  "account",
  "admin",
  "api",
  "app",
  "application",
  "auth",
  "consumer",
  "deploy",
  "encryption",
  "hmac",
  "license",
  "master",
  "preshared",
  "private",
  "sdk",
  "secret",
  "service",
  "session",
  "shared",
  "signing",
  "ssh",
  "subscription",
  "webhook",
]);
/** A name that ends like this says something about a secret, and is none. */
const ABOUT = new Set(
  (
    "age at budget bytes check class count created endpoint enabled env error expired expires " +
    "expiration expiry field file format hash header hint id ids index input kind label length " +
    "level limit list max min minutes mode ms name names path pattern patterns policy prefix " +
    "provider ref reference regex required reset rotation scope scopes seconds size source " +
    "status store strength suffix text timeout total ttl type types uri url usage used valid var variable version window"
  ).split(" "),
);

/** `password`: any value may be one. `secret`: its values have some length. */
export type NameSense = "password" | "secret" | undefined;

/** Whether a value under this name is a secret. */
export function senseOfName(name: string): NameSense {
  const words = wordsOf(name);
  const last = words.at(-1);
  if (last === undefined || ABOUT.has(last)) return undefined;
  if (words.some((word) => PASSWORDS.has(word) || /passw(?:or)?d$/.test(word))) return "password";
  const keyed = words.some(
    (word, at) => word === "key" && at > 0 && KEYS.has(words[at - 1] as string),
  );
  return keyed || words.some((word) => SECRETS.has(word) || /[a-z](?:token|secret)$/.test(word))
    ? "secret"
    : undefined;
}

/** Lower-case words of a name in any spelling; digits at a word's end are left out. */
export function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d+$/, ""))
    .filter((word) => word !== "");
}
