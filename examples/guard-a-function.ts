// A service that fails makes callers wait. A breaker around the call lets them go on at once, and
// lets the service through again when it has recovered. Nothing here knows of Chroma.
import { CircuitBreaker, CircuitOpenError } from "@holdfast/breaker";

const weather = { up: false };
async function forecast(city: string): Promise<string> {
  if (!weather.up) throw new Error("connection refused");
  return `sunny in ${city}`;
}

const breaker = new CircuitBreaker({
  name: "weather",
  failureThreshold: 3,
  recoveryTimeoutMs: 2_000,
  successThreshold: 1,
  timeoutMs: 1_000,
});
breaker.on("transition", ({ from, to }) => console.log(`${from} -> ${to}`));

async function ask(city: string): Promise<void> {
  try {
    console.log(await breaker.execute(() => forecast(city)));
  } catch (error) {
    if (error instanceof CircuitOpenError) console.log("refused at once: ask again later");
    else console.log((error as Error).message);
  }
}

for (const city of ["Oslo", "Quito", "Pune", "Lima"]) await ask(city);
console.log(breaker.explain().why);

weather.up = true;
await new Promise((resolve) => setTimeout(resolve, 2_100));
await ask("Lima");
breaker.close();

// Prints:
// connection refused
// connection refused
// closed -> open
// connection refused
// refused at once: ask again later
// 3 failures in a row (threshold 3); the last: Error connection refused
// open -> half-open
// half-open -> closed
// sunny in Lima
