import { BlockList, isIP } from "node:net";
import { NotifyError } from "./notify-error.ts";

/** What is not the public internet: the special-purpose registries of IANA (RFC 6890). */
const SPECIAL_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Within the global unicast range: what carries an IPv4 address, or is for documents and tests. */
const SPECIAL_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

/** Tells the addresses that a webhook may reach from those it may not. */
export class AddressGuard {
  readonly #special = new BlockList();
  readonly #global = new BlockList();
  readonly #allowed = new BlockList();

  /**
   * @param allow addresses and networks that are allowed though not public: `127.0.0.1`,
   *   `10.1.0.0/16`, `fd00::/8`.
   * @throws NotifyError `CHANNEL_INVALID` for one that is neither.
   */
  constructor(allow: readonly string[] = []) {
    for (const [network, prefix] of SPECIAL_IPV4) this.#special.addSubnet(network, prefix, "ipv4");
    for (const [network, prefix] of SPECIAL_IPV6) this.#special.addSubnet(network, prefix, "ipv6");
    this.#global.addSubnet("2000::", 3, "ipv6");
    for (const each of allow) this.#allowed.addSubnet(...subnetOf(each));
  }

  /** Whether an IP address, in any spelling that sockets and DNS use, may be connected to. */
  permits(address: string): boolean {
    // A zone (`fe80::1%eth0`) says which interface, not what kind of address.
    const plain = address.replace(/%.*$/, "");
    const family = isIP(plain);
    if (family === 0) return false;
    const type = family === 4 ? "ipv4" : "ipv6";
    if (this.#allowed.check(plain, type)) return true;
    if (type === "ipv6" && !this.#global.check(plain, type)) return false;
    return !this.#special.check(plain, type);
  }

  /** @throws NotifyError `WEBHOOK_ADDRESS_REFUSED`. */
  assertPermitted(address: string, host: string): void {
    if (this.permits(address)) return;
    const where = host === address ? address : `${host} is at ${address}, which`;
    throw new NotifyError("WEBHOOK_ADDRESS_REFUSED", `${where} is not a public address`, {
      hint: "If this host is meant, add its address to the allowed addresses of the webhook.",
    });
  }
}

/** @throws NotifyError `CHANNEL_INVALID` for anything that is no address and no network. */
export function assertAddresses(list: readonly string[] = []): void {
  for (const each of list) subnetOf(each);
}

function subnetOf(text: string): [network: string, prefix: number, type: "ipv4" | "ipv6"] {
  const [network = "", prefix, ...rest] = text.split("/");
  const family = isIP(network);
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  const ok = /^\d{1,3}$/.test(prefix ?? "0") && length <= bits && rest.length === 0;
  if (family === 0 || !ok) {
    throw new NotifyError("CHANNEL_INVALID", `Not an address or a network: ${text}`, {
      hint: "Write it as 127.0.0.1, 10.1.0.0/16 or fd00::/8.",
    });
  }
  return [network, length, family === 4 ? "ipv4" : "ipv6"];
}
