// Lets Node 22 run our sources: it knows no `using`, and strips types only from 22.18 on. It is Jest's
// transformer for what a test imports, and `--import` loads it into what a test starts. What is built
// needs none of it.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { transformSync } from "rolldown/utils";

const HELPER = "@oxc-project/runtime/helpers/usingCtx";
// By address: from our packages it has no name.
const HELPER_AT = import.meta.resolve("@oxc-project/runtime/helpers/usingCtx");

/** A TypeScript module as JavaScript that Node 22.16 parses. */
function lower(text, file) {
  const { code, map, errors } = transformSync(file, text, {
    lang: "ts",
    sourceType: "module",
    target: "node22.16",
    sourcemap: true,
  });
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`);
  return { code: code.replace(`"${HELPER}"`, `"${HELPER_AT}"`), map };
}

export default { process: lower };

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(".ts")) return nextLoad(url, context);
    const file = fileURLToPath(url);
    const { code } = lower(readFileSync(file, "utf8"), file);
    return { format: "module", source: code, shortCircuit: true };
  },
});

/**
 * Where modules are imported at the same time, Jest links the one while it links the other, and Node 22
 * forgets what it had found: here one waits for the other.
 */
function linkOneByOne(modules) {
  const { link } = modules;
  let last = Promise.resolve();
  modules.link = function (linker) {
    const linked = last.then(() => this.status === "unlinked" && link.call(this, linker));
    last = linked.catch(() => undefined);
    return linked;
  };
}

// Only where Node was told to have it, as for Jest.
if (vm.SourceTextModule !== undefined) linkOneByOne(vm.SourceTextModule.prototype);
