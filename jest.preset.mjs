import { fileURLToPath } from "node:url";

const isNode22 = process.versions.node.startsWith("22.");
const forNode22 = fileURLToPath(new URL("scripts/node-22.mjs", import.meta.url));

// Where the packages were built for the tests, each meets the others as they are shipped, which also
// loads faster; else no build is needed.
const conditions = ["node", "node-addons"];
if (process.env.HOLDFAST_TEST_BUILT !== "1") conditions.unshift("@holdfast/source");

export default {
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: conditions },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleFileExtensions: ["ts", "js", "mjs", "cjs", "json", "node"],
  // Generous: a slow machine is no failure. How fast things are is for the benchmarks to say.
  testTimeout: 60_000,
  transform: isNode22 ? { "\\.ts$": forNode22 } : {},
  collectCoverageFrom: ["src/**/*.ts"],
  coverageProvider: "v8",
};
