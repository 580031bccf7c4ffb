import { expect, test } from "@jest/globals";
import { assert, property, string } from "fast-check";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRedactor, type NamedPattern } from "../../src/index.ts";
import { heldOutSecrets } from "./held-out.ts";
import { ALNUM, Dice, HEX, knownSecrets, pem, type Sample } from "./secret-corpus.ts";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** One in some thousand random secrets looks like a word or a number: the sample is always the same. */
const SAMPLE_SEED = Number(process.env["HOLDFAST_SEED"] ?? 20_261);
const redactor = createRedactor();

/** Of each kind, how many samples of which something survived. */
function survivors(samples: readonly Sample[]): Record<string, number> {
  const missed: Record<string, number> = {};
  for (const { kind, secret, text } of samples) {
    if (redactor.redact(text).text.includes(secret)) missed[kind] = (missed[kind] ?? 0) + 1;
  }
  return missed;
}

test(`no secret of a known kind survives, but one in fifty random strings (seed ${SAMPLE_SEED})`, () => {
  const { random = 0, ...others } = survivors(knownSecrets(SAMPLE_SEED, 100));
  expect(others).toEqual({});
  expect(random).toBeLessThanOrEqual(5);
});

test(`of kinds that the patterns were not made for, 99 in 100 are found (seed ${SAMPLE_SEED})`, () => {
  const samples = heldOutSecrets(SAMPLE_SEED, 100);
  const missed = Object.values(survivors(samples)).reduce((sum, count) => sum + count, 0);
  expect(missed).toBeLessThanOrEqual(samples.length / 100);
});

// It was taken for the name of a user.
test("a token in an address need not have a digit", () => {
  const token = "ePtcBFMmdUogZOYefjesoGxQREYFmQenoJOawtOw";
  const { text } = redactor.redact(`git clone https://${token}@example.com/a/b.git`);
  expect(text).toBe("git clone https://[redacted:url-password]@example.com/a/b.git");
});

test("what stands around a secret is kept, and the mark says what it was", () => {
  const password = new Dice(1).password();
  const { text, count, kinds } = redactor.redact(`postgres://app:${password}@db.example.com/app`);
  expect(text).toBe("postgres://app:[redacted:url-password]@db.example.com/app");
  expect({ count, kinds }).toEqual({ count: 1, kinds: ["url-password"] });
});

test("redacting twice changes nothing more, and counts nothing more", () => {
  for (const { text } of knownSecrets(SEED, 10)) {
    const once = redactor.redact(text).text;
    expect(redactor.redact(once)).toMatchObject({ text: once, count: 0 });
  }
});

test("any text at all: it never throws, and without a find the text is as it was", () => {
  assert(
    property(string({ unit: "binary", maxLength: 400 }), (text) => {
      const { text: redacted, count } = redactor.redact(text);
      expect(count > 0 || redacted === text).toBe(true);
    }),
    { seed: SEED },
  );
});

test.each([
  ["a commit", () => `fixed by ${new Dice(2).of(HEX, 40)}`],
  ["a checksum", () => `sha256:${new Dice(3).of(HEX, 64)}`],
  ["a UUID", () => "id 0199f6a0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"],
  ["a lockfile's integrity", () => `integrity: sha512-${new Dice(4).of(ALNUM, 86)}==`],
  [
    "code that handles secrets",
    () => "const token = await readToken(options.password, secretKey);",
  ],
  [
    "types",
    () => "interface Login { password: string; token?: string; apiKey: string | undefined }",
  ],
  ["a reference", () => "token: { env: CHROMA_TOKEN }\npassword: ${DB_PASSWORD}"],
  ["numbers of tokens", () => "max_tokens: 4096, token_count=1234567, tokenTtl: 360000"],
  ["prose", () => "The password must have 12 characters; the token is refreshed every hour."],
  ["a long name", () => "applyQueuedWritesInTheBackgroundOfThisProcess2"],
  ["a path", () => "packages/memory/src/redaction/credential-patterns.ts"],
])("%s is no secret", (_what, write) => {
  expect(redactor.redact(write())).toMatchObject({ text: write(), count: 0 });
});

test("real text is left alone: less than one find in 500 lines of documents and sources", () => {
  const root = join(import.meta.dirname, "../../../..");
  const files = globSync(
    ["README.md", "docs/**/*.md", "packages/*/README.md", "{packages,apps}/*/src/**/*.ts"].map(
      (pattern) => join(root, pattern),
    ),
  );
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const found = lines.filter((line) => redactor.redact(line).count > 0);
  expect(lines.length).toBeGreaterThan(10_000);
  expect(found.length).toBeLessThan(lines.length / 500);
});

test("a value under a secret's name is one, whatever it looks like", () => {
  expect(redactor.redactValue("dbPassword", "tulip").text).toBe("[redacted:pair]");
  expect(redactor.redactValue("colour", "tulip")).toMatchObject({ text: "tulip", count: 0 });
  const random = new Dice(5).of(ALNUM, 32);
  expect(redactor.redactValue("session_id", random).text).toBe(random);
  expect(redactor.redactValue("answer", random).text).toBe("[redacted:high-entropy]");
});

test("configured patterns go first, and high entropy can be left alone", () => {
  const staff: NamedPattern = {
    name: "staff-number",
    replaceAll: (text, mark) => {
      const parts = text.split(/S-\d{6}/);
      return { text: parts.join(mark), count: parts.length - 1 };
    },
  };
  const own = createRedactor({ patterns: [staff], highEntropy: false });
  const random = new Dice(6).of(ALNUM, 32);
  expect(own.redact(`S-123456 and S-654321 said ${random}`)).toEqual({
    text: `[redacted:staff-number] and [redacted:staff-number] said ${random}`,
    count: 2,
    kinds: ["staff-number"],
  });
});

// In quadratic time they would take minutes.
test.each([
  ["names", "a=".repeat(200_000)],
  ["quotes", 'password="'.repeat(50_000)],
  ["keys that never end", pem("BEGIN").repeat(2_000)],
  ["addresses", "a://b:".repeat(80_000)],
  ["blanks", `token${" ".repeat(400_000)}`],
])("text made to be slow comes to its end: %s", (_what, text) => {
  expect(redactor.redact(text).text.length).toBeGreaterThan(0);
});
