import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Fault as WireFault, startFaultProxy } from "@holdfast/testkit";
import type { Fault } from "./faults.ts";

/** Through a proxy that passes everything at first, then spoils it. */
function throughProxy(
  name: string,
  red: readonly string[],
  fault: WireFault,
  ends: Fault["ends"] = "refused",
): Fault {
  return {
    name,
    red,
    ends,
    inject: async (stage) => {
      const { host, port } = stage.running;
      const proxy = await startFaultProxy({ host, port });
      await stage.seenFrom({ host: proxy.host, port: proxy.port });
      proxy.inject(fault);
      return async () => {
        await stage.seenFrom(undefined);
        await proxy.close();
      };
    },
  };
}

/** A proxy of the other kind: it answers everything itself. */
function answeredBy(name: string, red: readonly string[], status: number): Fault {
  return {
    name,
    red,
    ends: "refused",
    inject: async (stage) => {
      const server = createServer((_request, response) => {
        response.statusCode = status;
        response.end(`{"error":"${status}"}`);
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      await stage.seenFrom({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
      return async () => {
        await stage.seenFrom(undefined);
        server.closeAllConnections();
        server.close();
      };
    },
  };
}

/** What breaks the way to a store that somebody else runs. */
export const ELSEWHERE_FAULTS: readonly Fault[] = [
  {
    name: "the server's name is not known (DNS)",
    red: ["dns"],
    ends: "refused",
    inject: async (stage) => {
      await stage.seenFrom({ host: "holdfast.invalid", port: 8_000 });
      return () => stage.seenFrom(undefined);
    },
  },
  {
    name: "connections are refused",
    red: ["tcp"],
    ends: "refused",
    inject: async (stage) => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      server.close();
      await stage.seenFrom({ host: "127.0.0.1", port });
      return () => stage.seenFrom(undefined);
    },
  },
  throughProxy("connections are reset", ["heartbeat", "tcp"], { kind: "refuse" }),
  throughProxy("a black hole: connections are taken, nothing is answered", ["heartbeat"], {
    kind: "black-hole",
  }),
  throughProxy(
    "every answer is late, by more than the checks' limit",
    ["heartbeat", "access", "place"],
    { kind: "delay", delayMs: 2_100 },
    // With more patience it is found to work: slow is not broken.
    "healthy",
  ),
  answeredBy("a proxy answers 502", ["heartbeat"], 502),
  answeredBy("a proxy answers 401", ["access"], 401),
  answeredBy("a proxy answers 403", ["access"], 403),
  {
    name: "the tenant does not exist",
    red: ["access"],
    ends: "recovered",
    inject: async (stage) => {
      const { host, port } = stage.running;
      await stage.seenFrom({ host, port, tenant: "nobody-yet" });
      return undefined;
    },
  },
];
