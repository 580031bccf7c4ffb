import { expect, test } from "@jest/globals";
import {
  NotifyError,
  type Channel,
  type Delivery,
  Notifier,
  type Notification,
} from "@holdfast/notify";
import { FakeClock } from "@holdfast/core/testing";

const ALERT = {
  subject: "chroma/unreachable",
  severity: "critical",
  title: "Chroma is away",
} as const;

class RecordingChannel implements Channel {
  readonly name: string;
  readonly sent: Notification[] = [];
  /** What the next sends end with; undefined delivers. */
  failures: (Error | undefined)[] = [];

  constructor(name = "recording") {
    this.name = name;
  }

  send(notification: Notification): Promise<void> {
    const thrown = this.failures.shift();
    if (thrown !== undefined) return Promise.reject(thrown);
    this.sent.push(notification);
    return Promise.resolve();
  }

  get story(): string[] {
    return this.sent.map(({ state, subject, count }) => `${state} ${subject} ${count}`);
  }
}

test("a subject is told once in its cooldown, then with the count of what was left out", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  const notifier = new Notifier({ cooldownMs: 60_000 }, { channels: [channel], clock });
  expect((await notifier.notify(ALERT)).outcome).toBe("told");
  await clock.advance(59_999);
  expect(await notifier.notify(ALERT)).toEqual({ outcome: "held", count: 1 });
  expect(await notifier.notify(ALERT)).toEqual({ outcome: "held", count: 2 });
  await notifier.notify({ ...ALERT, subject: "other" });
  await clock.advance(1);
  await notifier.notify(ALERT);
  expect(channel.story).toEqual([
    "firing chroma/unreachable 1",
    "firing other 1",
    "firing chroma/unreachable 3",
  ]);
  expect(channel.sent[2]).toMatchObject({ since: channel.sent[0]?.at });
});

test("what was held back is told by the first call after the cooldown, whatever it is about", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  const notifier = new Notifier({ cooldownMs: 60_000 }, { channels: [channel], clock });
  await notifier.notify(ALERT);
  await notifier.notify(ALERT);
  await clock.advance(60_000);
  await notifier.resolve("nothing");
  await notifier.flush();
  expect(channel.story).toEqual(["firing chroma/unreachable 1", "firing chroma/unreachable 1"]);
});

test("flush tells what was held back, at once", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  const notifier = new Notifier({}, { channels: [channel], clock });
  for (let times = 0; times < 4; times += 1) void notifier.notify(ALERT);
  await notifier.flush();
  await notifier.flush();
  expect(channel.story).toEqual(["firing chroma/unreachable 1", "firing chroma/unreachable 3"]);
});

test("an end is told once, if its beginning was, and is never held back", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  const notifier = new Notifier({}, { channels: [channel], clock });
  expect(await notifier.resolve("chroma/unreachable")).toEqual({ outcome: "nothing-to-tell" });
  await notifier.notify({ ...ALERT, message: "refused" });
  await clock.advance(5_000);
  await notifier.resolve("chroma/unreachable", { title: "Chroma answers again" });
  expect(await notifier.resolve("chroma/unreachable")).toEqual({ outcome: "nothing-to-tell" });
  expect(channel.sent[1]).toEqual({
    id: expect.any(String),
    at: clock.now(),
    since: clock.now() - 5_000,
    state: "resolved",
    subject: "chroma/unreachable",
    severity: "critical",
    title: "Chroma answers again",
    count: 1,
  });
});

test("one that comes and goes is not told at each turn, and its count is not lost", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  const notifier = new Notifier({ cooldownMs: 60_000 }, { channels: [channel], clock });
  for (let turn = 0; turn < 10; turn += 1) {
    await notifier.notify(ALERT);
    await notifier.resolve("chroma/unreachable");
    await clock.advance(1_000);
  }
  expect(channel.story).toEqual(["firing chroma/unreachable 1", "resolved chroma/unreachable 1"]);
  await clock.advance(60_000);
  await notifier.notify(ALERT);
  expect(channel.story.at(-1)).toBe("firing chroma/unreachable 10");
});

test("a broken channel is reported, tried a bounded number of times, and hinders no other", async () => {
  const clock = new FakeClock();
  const [broken, sound] = [new RecordingChannel("broken"), new RecordingChannel("sound")];
  broken.failures = Array.from({ length: 9 }, () => failure(true));
  const undelivered: Delivery[] = [];
  const notifier = new Notifier(
    { attemptsMax: 3 },
    {
      channels: [broken, sound],
      clock,
      random: { next: () => 0.5 },
      onUndelivered: (delivery) => undelivered.push(delivery),
    },
  );
  const told = notifier.notify(ALERT);
  await clock.advance(0);
  expect(sound.sent).toHaveLength(1);
  await clock.advance(499);
  expect(broken.failures).toHaveLength(8);
  await clock.advance(1);
  expect(broken.failures).toHaveLength(7);
  await clock.advance(1_000);
  expect(await told).toMatchObject({
    outcome: "told",
    deliveries: [
      { channel: "broken", delivered: false, attempts: 3 },
      { channel: "sound", delivered: true, attempts: 1 },
    ],
  });
  expect(undelivered).toHaveLength(1);
  expect(notifier.status()).toMatchObject([
    { channel: "broken", delivered: 0, undelivered: 1, lastError: "no" },
    { channel: "sound", delivered: 1, undelivered: 0, lastError: undefined },
  ]);
  broken.failures = [];
  await notifier.resolve("chroma/unreachable");
  expect(notifier.status()[0]).toMatchObject({ delivered: 1, lastError: undefined });
});

test("what no retry can help is not retried", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  channel.failures = [failure(false)];
  const notifier = new Notifier({}, { channels: [channel], clock });
  expect(await notifier.notify(ALERT)).toMatchObject({ deliveries: [{ attempts: 1 }] });
});

test("an end waits for its beginning that is still being tried", async () => {
  const clock = new FakeClock();
  const channel = new RecordingChannel();
  channel.failures = [failure(true)];
  const notifier = new Notifier({}, { channels: [channel], clock });
  void notifier.notify(ALERT);
  const resolved = notifier.resolve("chroma/unreachable");
  await clock.advance(60_000);
  await resolved;
  expect(channel.story).toEqual(["firing chroma/unreachable 1", "resolved chroma/unreachable 1"]);
});

test("the same delivery has one id at every attempt", async () => {
  const clock = new FakeClock();
  const ids: string[] = [];
  const channel: Channel = {
    name: "flaky",
    send({ id }) {
      ids.push(id);
      return ids.length === 1 ? Promise.reject(failure(true)) : Promise.resolve();
    },
  };
  const notifier = new Notifier({}, { channels: [channel], clock });
  void notifier.notify(ALERT);
  await clock.advance(60_000);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test("a slow channel's queue and the subjects remembered have bounds", async () => {
  const clock = new FakeClock();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: Channel = { name: "slow", send: () => held };
  const notifier = new Notifier({ queuedMax: 2, subjectsMax: 2 }, { channels: [slow], clock });
  const told = ["a", "b", "c"].map((subject) => notifier.notify({ ...ALERT, subject }));
  expect(await told[2]).toMatchObject({ deliveries: [{ delivered: false, attempts: 0 }] });
  release();
  await notifier.flush();
  // "a" was forgotten for "c": it counts as new.
  expect((await notifier.notify({ ...ALERT, subject: "c" })).outcome).toBe("held");
  expect((await notifier.notify({ ...ALERT, subject: "a" })).outcome).toBe("told");
});

function failure(retryable: boolean): NotifyError {
  return new NotifyError("NOTICE_UNDELIVERED", "no", { retryable });
}
