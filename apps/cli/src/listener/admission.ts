import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "./listen-address.ts";

export interface Refusal {
  status: 401 | 403 | 405 | 421;
  reason: string;
}

/**
 * Why a request is refused; undefined when it may be answered. A page in a browser on this machine
 * could ask too: it would send its origin, or a name that was made to point here. A `token`, when
 * there is one, is asked of everybody.
 */
export function refusalOf(
  method: string,
  headers: IncomingHttpHeaders,
  token: string | undefined,
): Refusal | undefined {
  if (method !== "GET" && method !== "HEAD") return { status: 405, reason: "only GET and HEAD" };
  const asked = hostOf(headers.host);
  if (headers.origin !== undefined && hostOf(originHost(headers.origin)) !== asked) {
    return { status: 403, reason: "not for pages of other origins" };
  }
  if (token !== undefined) {
    if (bears(headers.authorization, token)) return undefined;
    return { status: 401, reason: "a token is needed: Authorization: Bearer …" };
  }
  // Without a token, only who means this machine is answered: no name may be made to point here.
  if (asked !== undefined && isLoopback(asked)) return undefined;
  return { status: 421, reason: "this host is not served here" };
}

function bears(authorization: string | undefined, token: string): boolean {
  const [scheme = "", given = ""] = authorization?.split(" ") ?? [];
  return scheme.toLowerCase() === "bearer" && timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Without the port, in lower case. */
function hostOf(header: string | undefined): string | undefined {
  const match = /^(\[[^\]]+\]|[^:]+)(?::\d+)?$/.exec(header ?? "");
  return match?.[1]?.toLowerCase();
}
