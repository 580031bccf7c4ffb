import { formatDuration } from "@holdfast/core";
import { observation } from "./memories.ts";
import { act, claim, type Scene, tell, until, write } from "./scene.ts";

/** Written without waiting, again and again until the kill can come. */
const BURST = 40;
const WRITES_AFTER = 40;

/** Acts 4 to 6: the server dies under writes, and nobody brings it back yet. */
export async function outage(scene: Scene): Promise<void> {
  await killMidStream(scene);
  await recallDegraded(scene);
  await openBreaker(scene);
}

async function killMidStream(scene: Scene): Promise<void> {
  act(scene, 4, "Kill the server with -9 in the middle of a stream of writes");
  const { memory } = scene.parts;
  const before = scene.accepted.size;
  // In the middle means: some are in Chroma, others are on their way.
  const midway = (): boolean => {
    const { stored, queued } = memory.status().ledger;
    return stored > before && queued > 0;
  };
  let written = 0;
  const inTheMiddle = await until(async () => {
    if (memory.status().ledger.queued === 0)
      for (const end = written + BURST; written < end;) await stream(scene, (written += 1));
    return midway();
  }, scene.signal);
  const { stored, queued } = memory.status().ledger;
  await scene.stage.killServer();
  tell(scene, `kill -9 with ${stored} memories in Chroma and ${queued} on their way.`);
  claim(scene, {
    claim: "The kill comes in the middle of writes",
    evidence: `${stored} were in Chroma, ${queued} on their way`,
    held: inTheMiddle && queued > 0,
  });

  let slowestMs = 0;
  let accepted = 0;
  for (let n = 1; n <= WRITES_AFTER; n += 1) {
    slowestMs = Math.max(slowestMs, await stream(scene, written + n));
    accepted += 1;
  }
  tell(
    scene,
    `The agent did not notice: ${accepted} more accepted, the slowest in ${slowestMs.toFixed(1)} ms.`,
  );
  claim(scene, {
    claim: "Writes are accepted while the server is dead",
    evidence: `${accepted} of ${WRITES_AFTER} accepted, the slowest in ${slowestMs.toFixed(1)} ms`,
    held: accepted === WRITES_AFTER,
  });
}

/** Writes one observation and returns the milliseconds until its receipt. */
async function stream(scene: Scene, number: number): Promise<number> {
  scene.signal.throwIfAborted();
  const { text, ...options } = observation(number);
  const began = performance.now();
  const receipt = await scene.parts.memory.add(text, { ...options, waitMs: 0 });
  write(scene, receipt, text);
  return performance.now() - began;
}

async function recallDegraded(scene: Scene): Promise<void> {
  act(scene, 5, "Recall without the server, and say so");
  const query = "staging database";
  const { hits, degraded, ageMs, reason } = await scene.parts.memory.search(query, {
    limit: 1,
    signal: scene.signal,
  });
  const found = hits[0]?.text.includes("staging database") === true;
  const age = ageMs === undefined ? "never confirmed" : `confirmed ${formatDuration(ageMs)} ago`;
  tell(scene, `? ${query}`);
  tell(
    scene,
    scene.output.paint("yellow", `  degraded: ${reason ?? ""}; this machine's mirror, ${age}`),
  );
  tell(scene, scene.output.paint("green", `  ${hits[0]?.text ?? "nothing"}`));
  claim(scene, {
    claim: "Recall goes on, and admits that it is degraded",
    evidence: `degraded: ${degraded}; the right memory ${found ? "found" : "not found"}`,
    held: degraded && found,
  });
}

async function openBreaker(scene: Scene): Promise<void> {
  act(scene, 6, "Stop knocking: the breaker opens");
  const { memory, breaker } = scene.parts;
  const opened = await until(async () => {
    if (breaker.state("read") === "open") return true;
    await memory.search("anything", { limit: 1, signal: scene.signal });
    return false;
  }, scene.signal);
  const { why, retryAfterMs } = breaker.explain("read");
  tell(scene, `${breaker.state("read")}: ${why}.`);
  const began = performance.now();
  const refused = await memory.search("anything", { limit: 1, signal: scene.signal });
  const tookMs = performance.now() - began;
  tell(
    scene,
    `Left alone it would wait ${formatDuration(retryAfterMs ?? 0)}. Meanwhile an answer takes ${tookMs.toFixed(1)} ms.`,
  );
  claim(scene, {
    claim: "The breaker opens: nobody waits for a dead server",
    evidence: `${breaker.state("read")} after ${breaker.explain("read").evidence.lastErrors.length} failures; the next recall took ${tookMs.toFixed(0)} ms`,
    held: opened && refused.degraded,
  });
}
