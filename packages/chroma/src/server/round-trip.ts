import { request } from "node:http";

const DATABASE = "/api/v2/tenants/default_tenant/databases/default_database";

/**
 * Resolves when a Chroma really answers: heartbeat, then the tenant's database and its
 * collections, which are read from SQLite. The heartbeat alone stays 200 on a dead store.
 * Rejects with what went wrong, or with the signal's reason.
 */
export async function roundTrip(
  endpoint: { host: string; port: number },
  signal: AbortSignal,
): Promise<void> {
  await getJson(endpoint, "/api/v2/heartbeat", signal);
  const database = (await getJson(endpoint, DATABASE, signal)) as { name?: unknown } | null;
  if (database?.name !== "default_database") throw new Error("The answer is not Chroma's");
  const collections = await getJson(endpoint, `${DATABASE}/collections?limit=1`, signal);
  if (!Array.isArray(collections)) throw new Error("The answer is not Chroma's");
}

const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

function getJson(
  endpoint: { host: string; port: number },
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ ...endpoint, path, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) call.destroy(new Error(`${path} answered without end`));
        chunks.push(chunk);
      });
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode !== 200) {
          reject(new Error(`${path} answered ${response.statusCode}: ${text.slice(0, 200)}`));
          return;
        }
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(new Error(`${path} did not answer JSON`, { cause: error }));
        }
      });
    });
    call.once("error", (error) => reject(signal.aborted ? signal.reason : error));
    call.end();
  });
}
