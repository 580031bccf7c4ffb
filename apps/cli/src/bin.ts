#!/usr/bin/env node
// Old Nodes must be able to parse this file, and must not reach any other.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 16)) {
  process.stderr.write(
    `holdfast needs Node 22.16 or newer, and this is ${process.versions.node}. ` +
      "Install a newer one (https://nodejs.org) and run the command again.\n",
  );
  process.exitCode = 1;
} else {
  void import("./start.ts").then((module) => module.start(process.argv.slice(2)));
}
