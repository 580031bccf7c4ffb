/*
 * One set of listeners per process for every store in it. They flush and get out of the way: the
 * exit code is the host's, and a signal ends the process, or does not, as if nobody listened here.
 */
const flushes = new Set<() => void>();
let signals = new Set<NodeJS.Signals>();

/**
 * Runs `flush` when the process exits or gets one of `on`; the answer undoes it. `flush` must be
 * synchronous and must not throw.
 */
export function flushAtExit(flush: () => void, on: readonly NodeJS.Signals[]): () => void {
  if (flushes.size === 0) process.on("exit", flushAll);
  flushes.add(flush);
  for (const signal of on) {
    if (signals.has(signal)) continue;
    signals.add(signal);
    process.prependListener(signal, onSignal);
  }
  return () => {
    flushes.delete(flush);
    if (flushes.size > 0) return;
    process.off("exit", flushAll);
    for (const signal of signals) process.off(signal, onSignal);
    signals = new Set();
  };
}

function flushAll(): void {
  for (const flush of flushes) flush();
}

/**
 * Comes first and removes itself, so that the host's own listeners (and libraries that count
 * them) see the process as it would be without this one. If there are none, the signal is sent
 * again and does what it does by default.
 */
function onSignal(signal: NodeJS.Signals): void {
  process.off(signal, onSignal);
  flushAll();
  if (process.listenerCount(signal) === 0) {
    process.kill(process.pid, signal);
    return;
  }
  // The host may have chosen to live on: then the next signal finds this listener again.
  setImmediate(() => {
    if (signals.has(signal) && !process.listeners(signal).includes(onSignal)) {
      process.prependListener(signal, onSignal);
    }
  }).unref();
}
