import { randomBytes } from "node:crypto";

const pem = (word: string): string => `-----${word} PRIVATE KEY-----`;

/** Secrets made at run time, since none may stand in a file, each as it would be met. */
export function leaks(): { secret: string; text: string }[] {
  const token = (length: number): string =>
    randomBytes(length).toString("base64").replaceAll(/[+/=]/g, "7").slice(0, length);
  const password = `Pw${token(6)}19!`;
  return [
    [`ghp_${token(36)}`, (it: string) => `pushed with ${it}`],
    [`sk-ant-api03-${token(80)}`, (it: string) => `key: ${it}`],
    [`AKIA${token(16).toUpperCase()}`, (it: string) => `aws says ${it}.`],
    [password, (it: string) => `DB_PASSWORD=${it}`],
    [`${password}2`, (it: string) => `psql postgres://app:${it}@db.example.com/app`],
    [`${password}3`, (it: string) => `tool --password ${it} --yes`],
    [token(32), (it: string) => `Authorization: Bearer ${it}`],
    [`${password}4`, (it: string) => `{"user":"ada","password":"${it}"}`],
    [token(64), (it: string) => [pem("BEGIN"), it, pem("END")].join("\n")],
  ].map(([secret, write]) => {
    const it = secret as string;
    return { secret: it, text: (write as (it: string) => string)(it) };
  });
}
