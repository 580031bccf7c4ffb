export { startChroma, type StartChromaOptions, type TestChroma } from "./chroma.ts";
export { type Mount, mountObstacle, readOnlyView, smallDisk } from "./mounts.ts";
export { type Fault, type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
export { type FixtureProcess, startFixture } from "./fixture-process.ts";
export { clockObstacle, type SettableClock, settableClock } from "./settable-clock.ts";
export { until } from "./until.ts";
