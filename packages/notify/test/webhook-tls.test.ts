import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

const whenOpenssl = hasOpenssl ? test : test.skip;

whenOpenssl(
  "over TLS the name is proved, the address is guarded, and nothing is sent on in the open",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
    try {
      const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
      const made = spawnSync("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=hook.example"],
        ...["-addext", "subjectAltName=DNS:hook.example"],
      ]);
      expect(made.status).toBe(0);
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
  },
);
