import { describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const whenOpenssl = spawnSync("openssl", ["version"]).status === 0 ? describe : describe.skip;

/** Makes a certificate of hook.example, and its key. */
function certify(key: string, certificate: string): number | null {
  const files = ["-keyout", key, "-out", certificate];
  const subject = ["-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example"];
  const words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject];
  return spawnSync("openssl", words).status;
}

whenOpenssl("with openssl on PATH", () => {
  test("over TLS the name is proved, the address guarded, and nothing sent on in the open", () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
    try {
      const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
      expect(certify(key, certificate)).toBe(0);
      const script = join(import.meta.dirname, "fixtures/post-over-tls.ts");
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ["--conditions=@holdfast/source", script, key, certificate],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate }, encoding: "utf8" },
      );
      expect({ stderr, ...(JSON.parse(stdout || "{}") as object) }).toEqual({
        stderr: "",
        outcomes: [
          "200",
          "hook.example is at 127.0.0.1, which is not a public address",
          "https://hook.example redirects to an open connection",
          "https://other.example: ERR_TLS_CERT_ALTNAME_INVALID",
        ],
        received: ["/ of hook.example", "/to-http of hook.example"],
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
