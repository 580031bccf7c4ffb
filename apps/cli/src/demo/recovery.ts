import { formatDuration } from "@holdfast/core";
import { askAll } from "./fair-weather.ts";
import { readBack, readBackClaim } from "./claims.ts";
import { QUESTIONS } from "./memories.ts";
import { act, claim, type Scene, tell, until } from "./scene.ts";

/** Acts 7 to 9: the keeper heals it, everything is proved, then the same from ashes. */
export async function recovery(scene: Scene): Promise<void> {
  await heal(scene);
  await prove(scene);
  await fromAshes(scene);
}

async function heal(scene: Scene): Promise<void> {
  act(scene, 7, "Let the keeper heal it");
  const { memory, breaker } = scene.parts;
  const openedAt = breaker.explain("read").since ?? Date.now();
  const retryAt = Date.now() + (breaker.explain("read").retryAfterMs ?? 0);
  const began = performance.now();
  const { pid, port } = await scene.stage.startKeeper(scene.signal);
  tell(scene, `The keeper found the server dead and started another: pid ${pid}, port ${port}.`);
  const probed = await until(() => breaker.state("read") !== "open", scene.signal);
  const waited = formatDuration(Date.now() - openedAt);
  tell(scene, "Its canary was written, found and deleted, so the breaker stopped waiting.");
  claim(scene, {
    claim: "A verified canary ends the breaker's wait",
    evidence: `calls go through ${waited} after it opened, not after ${formatDuration(retryAt - openedAt)}`,
    held: probed && Date.now() < retryAt,
  });

  const drained = await until(() => memory.status().ledger.queued === 0, scene.signal);
  const { ledger } = memory.status();
  tell(scene, `The outbox drained by itself: ${ledger.stored} stored, ${ledger.queued} queued.`);
  const right = await askAll(scene);
  tell(scene, `The breaker is ${breaker.state("read")}.`);
  claim(scene, {
    claim: "It heals by itself, and the outbox drains",
    evidence: `after ${formatDuration(performance.now() - began)}: ${ledger.queued} queued, ${right} of ${QUESTIONS.length} recalled from Chroma, breaker ${breaker.state("read")}`,
    held: drained && right === QUESTIONS.length && breaker.state("read") === "closed",
  });
}

async function prove(scene: Scene): Promise<void> {
  act(scene, 8, "Prove that what was accepted is stored");
  const { memory, store } = scene.parts;
  const { ledger, collection } = memory.status();
  const seen = await readBack(store, collection, scene.accepted, scene.signal);
  tell(
    scene,
    `Every id read out of Chroma and compared byte for byte: ${seen.compared} compared, ${seen.missing} missing, ${seen.different} different.`,
  );
  tell(
    scene,
    `The ledger: accepted ${ledger.accepted} = stored ${ledger.stored} + queued ${ledger.queued} + dead ${ledger.dead} + discarded ${ledger.discarded}.`,
  );
  claim(scene, readBackClaim("Accepted = stored, byte for byte", scene.accepted, seen));
  claim(scene, {
    claim: "The ledger balances",
    evidence: `accepted ${ledger.accepted}, stored ${ledger.stored}, residual ${ledger.residual}`,
    held:
      ledger.residual === 0 &&
      ledger.accepted === scene.accepted.size &&
      ledger.stored === ledger.accepted,
  });
}

async function fromAshes(scene: Scene): Promise<void> {
  act(scene, 9, "Destroy the database, and rebuild it");
  const { memory, store } = scene.parts;
  const { collection, ledger } = memory.status();
  await scene.stage.destroyData();
  tell(scene, "Server and keeper were stopped, and every file of the data directory deleted.");
  const began = performance.now();
  await scene.stage.startKeeper(scene.signal);
  tell(
    scene,
    `A new keeper found the store empty, and rebuilt ${ledger.stored} memories from the mirror, vectors and all,`,
  );
  tell(
    scene,
    `before it let anybody in: ${formatDuration(performance.now() - began)} with its start.`,
  );
  const seen = await readBack(store, collection, scene.accepted, scene.signal);
  claim(scene, readBackClaim("Rebuilt from the mirror, byte for byte", scene.accepted, seen));
  const same = await memory.compare({ signal: scene.signal });
  tell(
    scene,
    `Read back once more: ${same.compared} texts, metadata, revisions and vectors compared.`,
  );
  claim(scene, {
    claim: "Metadata, revisions and vectors too",
    evidence: `${same.compared} compared: ${same.missing.length} missing, ${same.different.length} different`,
    held: same.equal && same.compared === scene.accepted.size,
  });
}
