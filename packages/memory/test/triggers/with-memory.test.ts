import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { anything, assert, asyncProperty, boolean, constantFrom, record } from "fast-check";
import { memoryAwareCommand, type TriggerService, withMemory } from "@holdfast/memory";
import { type RecordingMemory, recorder } from "./fixture.ts";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

let triggers: TriggerService;
let memory: RecordingMemory;
beforeEach(() => void ({ triggers, memory } = recorder({ mergeWindowMs: 0 })));
afterEach(() => triggers.flush());

type Ending = "return" | "throw" | "resolve" | "reject" | "thenable" | "subclass" | "dressed";

class OwnPromise<T> extends Promise<T> {}

/** A function that ends in one of the ways that functions end. */
function functionOf(
  ending: Ending,
  value: unknown,
): (this: unknown, ...args: unknown[]) => unknown {
  return function subject(this: unknown, ...args: unknown[]) {
    seen.push([this, args, new.target]);
    switch (ending) {
      case "throw":
        throw value;
      case "resolve":
        return Promise.resolve(value);
      case "reject":
        return Promise.reject(value);
      case "thenable":
        // oxlint-disable-next-line unicorn/no-thenable -- as lazy queries are
        return { then: () => seen.push(["started"]) };
      case "subclass":
        return OwnPromise.resolve(1);
      case "dressed":
        return Object.assign(Promise.resolve(1), { kill: () => true });
      case "return":
      default:
        return value;
    }
  };
}

let seen: unknown[] = [];

/** All that a caller can see of a call. */
async function observed(fn: () => unknown): Promise<unknown[]> {
  seen = [];
  try {
    const result = fn();
    const kind = Object.prototype.toString.call(result);
    if (kind !== "[object Promise]") return ["returned", result, ...seen];
    const settled = await (result as Promise<unknown>).then(
      (value) => ["resolved", value],
      (error: unknown) => ["rejected", error],
    );
    return [...settled, Reflect.ownKeys(result as object), (result as object).constructor, ...seen];
  } catch (error) {
    return ["threw", error, ...seen];
  }
}

test(`wrapped, any function does what it does unwrapped (seed ${SEED})`, async () => {
  const cases = record({
    ending: constantFrom<Ending>(
      "return",
      "throw",
      "resolve",
      "reject",
      "thenable",
      "subclass",
      "dressed",
    ),
    value: anything(),
    self: anything(),
    first: anything(),
    bound: boolean(),
  });
  await assert(
    asyncProperty(cases, async ({ ending, value, self, first, bound }) => {
      const plain = functionOf(ending, value);
      const fn = bound ? plain.bind(self) : plain;
      const wrapped = withMemory(fn, { triggers });
      const before = await observed(() => Reflect.apply(fn, self, [first, 2]));
      const after = await observed(() => Reflect.apply(wrapped, self, [first, 2]));
      expect(after.length).toBe(before.length);
      // The same values, not merely equal ones; a thenable is a new one each time.
      const same = before.slice(0, 2).map((part, at) => Object.is(after[at], part));
      expect(same).toEqual([true, ending !== "thenable"]);
      expect(after.slice(2)).toEqual(before.slice(2));
      expect(wrapped.name).toBe(fn.name);
      expect(wrapped.length).toBe(fn.length);
    }),
    { seed: SEED, numRuns: 300 },
  );
  await triggers.flush();
  expect(triggers.status()).toMatchObject({ failed: 0, pending: 0 });
  expect(memory.written).toHaveLength(triggers.status().raised);
});

test("constructors, properties and private state work through it", () => {
  class Counter {
    static made = 0;
    #count = 0;
    constructor() {
      Counter.made += 1;
    }
    up(): number {
      return (this.#count += 1);
    }
  }
  const Wrapped = withMemory(Counter as never, { triggers }) as unknown as typeof Counter;
  expect(new Wrapped().up()).toBe(1);
  expect(new Wrapped()).toBeInstanceOf(Counter);
  expect(Wrapped.made).toBe(2);
  expect(() => Reflect.apply(Wrapped as never, undefined, [])).toThrow(TypeError);
});

// A name that threw was thrown out of the call, in the place of its result.
test("a function whose name cannot be had is called all the same", async () => {
  const throwing = (): never => {
    throw new Error("no name");
  };
  const named = (fn: () => unknown, descriptor: PropertyDescriptor): (() => unknown) =>
    withMemory(Object.defineProperty(fn, "name", descriptor), { triggers });
  expect(named(() => 1, { get: throwing })()).toBe(1);
  expect(named(() => 2, { value: 7 })()).toBe(2);
  await expect(named(async () => 3, { get: throwing })()).resolves.toBe(3);
  expect(withMemory(new Proxy(() => 4, { get: throwing }), { triggers })()).toBe(4);
  await triggers.flush();
  expect(memory.texts).toEqual(Array.from({ length: 4 }, () => "anonymous() succeeded"));
});

test("a function may call itself, and each call is noted", async () => {
  const factorial: (n: number) => number = withMemory(
    (n: number) => (n <= 1 ? 1 : n * factorial(n - 1)),
    { triggers, name: "factorial" },
  );
  expect(factorial(5)).toBe(120);
  await triggers.flush();
  expect(memory.texts).toEqual([1, 2, 3, 4, 5].map((n) => `factorial(${n}) succeeded`));
});

// Before Node 24 such a promise has properties of its own, and its rejection was noted as a success.
test("a rejection is noted as one where asynchronous calls are followed", async () => {
  const fail = withMemory(() => Promise.reject(new RangeError("no")), { triggers, name: "fail" });
  const following = new AsyncLocalStorage();
  await expect(following.run(1, fail)).rejects.toThrow(RangeError);
  await triggers.flush();
  expect(memory.texts).toEqual(["fail() failed: RangeError: no"]);
});

test("what a capture calls is not captured itself", async () => {
  const add = withMemory(memory.addMany.bind(memory), { triggers, name: "addMany" });
  memory.addMany = add;
  withMemory(() => 1, { triggers, name: "once" })();
  await triggers.flush();
  expect(memory.texts).toEqual(["once() succeeded"]);
});

describe("what is noted", () => {
  test("of a success and of an error", async () => {
    const pay = withMemory(
      async (amount: number) => {
        await Promise.resolve();
        if (amount < 0) throw new RangeError("less than nothing");
      },
      {
        triggers,
        name: "pay",
        tags: ["money"],
        source: "shop",
        priority: 7,
        scope: { user: "ada" },
      },
    );
    await pay(12);
    await expect(pay(-1)).rejects.toThrow(RangeError);
    await triggers.flush();
    expect(memory.written).toMatchObject([
      {
        text: "pay(12) succeeded",
        tags: ["success", "money"],
        scope: { user: "ada" },
        metadata: {
          category: "success",
          outcome: "success",
          source: "shop",
          priority: 7,
          duration_ms: expect.any(Number),
        },
      },
      {
        text: "pay(-1) failed: RangeError: less than nothing",
        tags: ["error", "money"],
        metadata: { category: "error", outcome: "error" },
      },
    ]);
  });

  test("only the outcomes that were asked for, in one's own words", async () => {
    const flaky = withMemory(
      (fails: boolean) =>
        void (
          fails &&
          (() => {
            throw new Error("no");
          })()
        ),
      {
        triggers,
        on: ["error"],
        type: "task",
        describe: ({ error }) => `It said ${String(error)}`,
      },
    );
    flaky(false);
    expect(() => flaky(true)).toThrow("no");
    await triggers.flush();
    expect(memory.texts).toEqual(["It said Error: no"]);
    expect(memory.written[0]?.tags).toEqual(["task"]);
  });

  test("without running anything of the arguments' own", async () => {
    const ran: string[] = [];
    const trap = {
      get secret() {
        return ran.push("getter");
      },
      toString: () => String(ran.push("toString")),
      [Symbol.for("nodejs.util.inspect.custom")]: () => ran.push("inspect"),
    };
    const proxy = new Proxy({}, { get: () => ran.push("trap"), ownKeys: () => [] });
    withMemory((..._args: unknown[]) => 1, { triggers })(trap, proxy);
    await triggers.flush();
    expect(ran).toEqual([]);
    expect(memory.written).toHaveLength(1);
  });

  test("describing may fail, the call does not", async () => {
    const describeBadly = (): string => {
      throw new Error("no words");
    };
    expect(withMemory(() => 5, { triggers, describe: describeBadly })()).toBe(5);
    expect(triggers.status()).toMatchObject({ failed: 1, lastError: "no words" });
  });
});

test("generators are refused, and it is said why", () => {
  function* numbers(): Generator<number> {
    yield 1;
  }
  async function* later(): AsyncGenerator<number> {
    yield 1;
  }
  for (const generator of [numbers, later]) {
    expect(() => withMemory(generator, { triggers })).toThrow(
      expect.objectContaining({
        code: "TRIGGER_UNSUPPORTED",
        message: expect.stringContaining("is a generator function"),
      }),
    );
  }
  expect(() => withMemory(5 as never, { triggers })).toThrow(TypeError);
});

test("it is known by two names", () => {
  expect(memoryAwareCommand).toBe(withMemory);
});
