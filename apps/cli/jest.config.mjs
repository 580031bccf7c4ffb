import preset from "../../jest.preset.mjs";

// Most tests here run the command line as processes, some of them a real server.
export default { ...preset, testTimeout: 120_000 };
