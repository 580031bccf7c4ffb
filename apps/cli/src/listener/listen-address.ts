import { isIP } from "node:net";
import { usage } from "../selection.ts";

export interface ListenAddress {
  host: string;
  port: number;
}

/** `9464`, `127.0.0.1:9464`, `[::1]:9464`, `:9464`; without a host, loopback. @throws `USAGE`. */
export function listenAddress(text: string): ListenAddress {
  const match = /^(?:\[(?<v6>[^\]]+)\]:|(?<name>[^:]*):)?(?<port>\d{1,5})$/.exec(text);
  const { v6, name, port = "" } = match?.groups ?? {};
  const host = v6 ?? (name === undefined || name === "" ? "127.0.0.1" : name);
  if (match === null || Number(port) > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) {
    throw usage(`${JSON.stringify(text)} is not an address`, "Write it as 9464 or 127.0.0.1:9464.");
  }
  return { host, port: Number(port) };
}

/** Whether only this machine reaches it. A name may mean anything; `localhost` alone does not. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}
