export { startChroma, type StartChromaOptions, type TestChroma } from "./chroma.ts";
export { FakeClock } from "./fake-clock.ts";
export { type Mount, mountObstacle, smallDisk } from "./mounts.ts";
