import { parentPort } from "node:worker_threads";
import { loadOfflineModel } from "./offline-model.ts";

export interface EmbeddingRequest {
  id: number;
  text: string;
}

export type EmbeddingReply =
  | { id: number; vector: Float32Array<ArrayBuffer> }
  | { id: number; error: unknown };

if (parentPort === null) throw new Error("embedding-worker runs as a worker thread only");
const port = parentPort;
const model = loadOfflineModel();
// The first request reports it; until then it must not end the thread as an unhandled rejection.
model.catch(() => undefined);

port.on("message", (request: EmbeddingRequest) => void answer(request));

async function answer({ id, text }: EmbeddingRequest): Promise<void> {
  try {
    const embed = await model;
    const vector = Float32Array.from(await embed(text));
    port.postMessage({ id, vector } satisfies EmbeddingReply, [vector.buffer]);
  } catch (error) {
    port.postMessage({ id, error } satisfies EmbeddingReply);
  }
}
