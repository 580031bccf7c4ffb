import type { KeeperState } from "./keeper/keeper-database.ts";
import type { Output } from "./output.ts";

/** Tells whoever waits for a keeper what it does: that it starts, once, and what takes long. */
export function keeperTeller(output: Output): (state: KeeperState) => void {
  let told = false;
  return ({ phase, detail }) => {
    if (phase === "installing" || phase === "restarting") output.note(`Chroma: ${detail}`);
    else if (!told && phase !== "ready") output.note("Chroma: starting");
    told = true;
  };
}
