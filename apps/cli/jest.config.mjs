import { availableParallelism } from "node:os";
import preset from "../../jest.preset.mjs";

// Most tests here run the command line as processes, some of them a real server, and wait for these
// half of the time: two cores have room for two tests.
const maxWorkers = Math.max(2, availableParallelism() - 1);

export default { ...preset, maxWorkers, testTimeout: 120_000 };
