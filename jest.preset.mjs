export default {
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@holdfast/source", "node", "node-addons"] },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleFileExtensions: ["ts", "js", "mjs", "cjs", "json", "node"],
  // Generous: a slow machine is no failure. How fast things are is for the benchmarks to say.
  testTimeout: 60_000,
  transform: {},
  collectCoverageFrom: ["src/**/*.ts"],
  coverageProvider: "v8",
};
