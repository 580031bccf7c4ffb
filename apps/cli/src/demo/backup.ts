import { join } from "node:path";
import { formatDuration } from "@holdfast/core";
import { took } from "../backup/backup-text.ts";
import { withBackupsOver } from "../wire.ts";
import { readBack, readBackClaim } from "./claims.ts";
import { act, claim, type Scene, tell } from "./scene.ts";
import { counted } from "../counted.ts";

/** The last act: nothing is left of the memories but a backup. */
export async function backup(scene: Scene): Promise<void> {
  act(scene, 10, "Back up, destroy everything, restore, compare");
  const { signal, stage } = scene;
  const output = join(stage.folder, "backup.yaml");
  const made = await withBackupsOver(scene.parts, (backups) => backups.backup({ output, signal }));
  tell(
    scene,
    `${counted(made.memories, "memory")} backed up and read back in ${took(made.tookMs)}.`,
  );
  await stage.destroyEverything();
  tell(scene, "Database, mirror and outbox were deleted; only the backup is left.");
  const began = performance.now();
  await stage.startKeeper(signal);
  scene.parts = await stage.open();
  const found = scene.parts.memory.status().mirrored;
  const report = await withBackupsOver(scene.parts, async (backups) =>
    backups.restore(await backups.plan(output, { signal }), { signal }),
  );
  const { memory, store } = scene.parts;
  const { collection } = memory.status();
  tell(
    scene,
    `From ${counted(found, "memory")} to ${counted(report.memories, "memory")} in ${formatDuration(performance.now() - began)}, with the start of a new server.`,
  );
  const seen = await readBack(store, collection, scene.accepted, signal);
  const same = await memory.compare({ signal });
  claim(scene, readBackClaim("Restored from a backup, byte for byte", scene.accepted, seen));
  claim(scene, {
    claim: "With metadata, revisions and vectors",
    evidence: `${same.compared} compared: ${same.missing.length} missing, ${same.different.length} different, ${report.embedded} embedded anew`,
    held:
      found === 0 && same.equal && same.compared === scene.accepted.size && report.embedded === 0,
  });
}
