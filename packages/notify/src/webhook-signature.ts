import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE_SECONDS = 300;

export interface SignedWebhook {
  id: string;
  /** Seconds since the epoch. */
  timestamp: number;
  body: string;
}

/**
 * The `webhook-signature` of a request: HMAC-SHA256 over `id.timestamp.body`, in base64 behind
 * `v1,`. A secret that begins with `whsec_` is base64 after it; any other is taken as UTF-8.
 * Source: the Standard Webhooks specification, "Signature scheme".
 */
export function webhookSignature({ id, timestamp, body }: SignedWebhook, secret: string): string {
  const key = secret.startsWith("whsec_")
    ? Buffer.from(secret.slice("whsec_".length), "base64")
    : Buffer.from(secret, "utf8");
  const digest = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return `v1,${digest}`;
}

/**
 * Whether a request that came in was signed with `secret`, within five minutes of `nowSeconds`.
 * `headers` have lower-case names, as Node gives them; the body is the text exactly as it came.
 */
export function verifyWebhook(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
  secret: string,
  nowSeconds: number = Date.now() / 1_000,
): boolean {
  const id = headers["webhook-id"];
  const timestamp = Number(headers["webhook-timestamp"]);
  const given = headers["webhook-signature"];
  if (typeof id !== "string" || typeof given !== "string") return false;
  if (!(Math.abs(nowSeconds - timestamp) <= TOLERANCE_SECONDS)) return false;
  const expected = Buffer.from(webhookSignature({ id, timestamp, body }, secret));
  return given.split(" ").some((each) => {
    const candidate = Buffer.from(each);
    return candidate.length === expected.length && timingSafeEqual(candidate, expected);
  });
}
