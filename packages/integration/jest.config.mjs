import preset from "../../jest.preset.mjs";

// Real servers, on a machine that may be busy: how long they take is not what is tested.
export default { ...preset, testTimeout: 120_000 };
