import { expect } from "@jest/globals";
import { createHash } from "node:crypto";
import { type Bench, keyTests } from "./key-tests.ts";

keyTests("redaction", {
  patterns: async (bench) => {
    bench.configureDead("redaction: {patterns: {staff: 'S-[0-9]{6}'}}");
    expect(await remembered(bench, "S-123456 called")).toBe("[redacted:staff] called");
    bench.configureDead("");
    expect(await remembered(bench, "S-123456 called")).toBe("S-123456 called");
    bench.configureDead("redaction: {patterns: {bad: '(?=x)'}}");
    expect((await bench.run("memory", "list")).json.error.code).toBe("CONFIG_INVALID");
  },
  high_entropy: async (bench) => {
    const random = createHash("sha256").update("seed").digest("base64url");
    bench.configureDead("");
    expect(await remembered(bench, random)).toBe("[redacted:high-entropy]");
    bench.configureDead("redaction: {high_entropy: false}");
    expect(await remembered(bench, random)).toBe(random);
  },
});

async function remembered(bench: Bench, text: string): Promise<string> {
  const { id } = (await bench.run("memory", "add", text, "--wait", "0")).json.data;
  return (await bench.run("memory", "get", id)).json.data.memory.text;
}
