export default {
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@holdfast/source", "node", "node-addons"] },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleFileExtensions: ["ts", "js", "mjs", "cjs", "json", "node"],
  transform: {},
  collectCoverageFrom: ["src/**/*.ts"],
  coverageProvider: "v8",
};
