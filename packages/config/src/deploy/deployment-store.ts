import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  type DeployedContent,
  keepContent,
  readContent,
  readIntact,
} from "./deployment-content.ts";
import { type Deployment, readHistory, writeHistory } from "./deployment-history.ts";
import { linkDurably, renameDurably, syncFolder } from "./durable-file.ts";

const CONTENTS = "contents";
const SNAPSHOTS = "snapshots";

/**
 * The files of one environment's deployments:
 *
 *     holdfast.yaml -> contents/<id>/holdfast.yaml   what is in force, switched in one step
 *     contents/<id>/                                 each content once, never changed
 *     history.json, snapshots/<number>/, lock
 */
export class DeploymentStore {
  readonly folder: string;
  readonly installed: string;
  readonly lockFile: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    this.folder = folder;
    this.#name = name;
    this.installed = join(folder, name);
    this.lockFile = join(folder, "lock");
  }

  create(): void {
    mkdirSync(join(this.folder, CONTENTS), { recursive: true, mode: 0o700 });
  }

  /**
   * The id of the content in force; `none` when there is none, `foreign` when something else than
   * a deployment has put a file there.
   */
  inForce(): { id: string } | "none" | "foreign" {
    const entry = lstatSync(this.installed, { throwIfNoEntry: false });
    if (entry === undefined) return "none";
    const target = entry.isSymbolicLink() ? readlinkSync(this.installed) : "";
    const id = basename(dirname(target));
    return target === this.#target(id) ? { id } : "foreign";
  }

  /**
   * Puts a content in force: whoever reads sees the old or the new, whole. Returns what undoes it.
   */
  putInForce(id: string, now: number): () => void {
    const before = this.inForce();
    const aside = `${this.installed}.before-${now}`;
    if (before === "foreign") linkSync(this.installed, aside);
    this.#link(id);
    return () => {
      if (before === "foreign") renameDurably(aside, this.installed);
      else if (before === "none") this.#unlink();
      else this.#link(before.id);
    };
  }

  /** Goes back to another content than the one that {@link putInForce} found, or to none. */
  fallBackTo(id: string | undefined): void {
    if (id === undefined) this.#unlink();
    else this.#link(id);
  }

  keep(content: DeployedContent): string {
    return keepContent(join(this.folder, CONTENTS), content);
  }

  read(id: string): DeployedContent {
    return readContent(join(this.folder, CONTENTS), id);
  }

  /** @throws DeploymentError `DEPLOYMENT_DAMAGED`. */
  readIntact(id: string): DeployedContent {
    return readIntact(join(this.folder, CONTENTS), id);
  }

  /** The file of a kept content, for reading it as it will be in force. */
  fileOf(id: string): string {
    return join(this.folder, this.#target(id));
  }

  snapshotFolder(number: number): string {
    return join(this.folder, SNAPSHOTS, String(number));
  }

  history(): Deployment[] {
    return readHistory(join(this.folder, "history.json"));
  }

  writeHistory(deployments: readonly Deployment[]): void {
    writeHistory(join(this.folder, "history.json"), deployments);
  }

  /** Removes contents and snapshots that no remembered deployment has, and what was cut off. */
  sweep(): void {
    const history = this.history();
    const contents = new Set(history.map(({ content }) => content));
    removeFrom(join(this.folder, CONTENTS), (name) => !contents.has(name.split(".")[0] ?? ""));
    const oldest = history[0]?.number ?? 0;
    removeFrom(join(this.folder, SNAPSHOTS), (name) => Number(name) < oldest);
  }

  #link(id: string): void {
    linkDurably(this.#target(id), this.installed);
  }

  #unlink(): void {
    rmSync(this.installed, { force: true });
    syncFolder(this.folder);
  }

  #target(id: string): string {
    return join(CONTENTS, id, this.#name);
  }
}

function removeFrom(folder: string, isUnwanted: (name: string) => boolean): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter(isUnwanted))
    rmSync(join(folder, name), { recursive: true, force: true });
}
