import { expect, test } from "@jest/globals";
import { createChannel, postWebhook, verifyWebhook, webhookSignature } from "@holdfast/notify";
import { HttpReceiver } from "./http-receiver.ts";
import { notice } from "./notice.ts";

const LOOPBACK = ["127.0.0.1"];

test("a webhook is signed so that the receiver can tell it from a forgery, and names itself once", async () => {
  await using receiver = await HttpReceiver.start();
  const request = { body: '{"ä":1}', idempotencyKey: "id-1", secret: "s3cret" };
  const sent = await postWebhook({ ...request, url: receiver.url(), allowAddresses: LOOPBACK });
  expect(sent).toEqual({ status: 204, address: "127.0.0.1" });
  const { headers, body } = receiver.received[0] ?? {
    headers: { "webhook-timestamp": "" },
    body: "",
  };
  expect(body).toBe('{"ä":1}');
  expect(headers).toMatchObject({
    "webhook-id": "id-1",
    "idempotency-key": "id-1",
    "content-type": "application/json",
  });
  expect(verifyWebhook(headers, body, "s3cret")).toBe(true);
  expect(verifyWebhook(headers, body, "another")).toBe(false);
  expect(verifyWebhook(headers, `${body} `, "s3cret")).toBe(false);
  expect(verifyWebhook({ ...headers, "webhook-id": "id-2" }, body, "s3cret")).toBe(false);
  const later = Number(headers["webhook-timestamp"]) + 301;
  expect(verifyWebhook(headers, body, "s3cret", later)).toBe(false);
});

test("the signature is the one that the Standard Webhooks specification gives as an example", () => {
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330 };
  const body = '{"test": 2432232314}';
  expect(webhookSignature({ ...message, body }, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).toBe(
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

test.each([
  ["an address", (port: number) => `http://127.0.0.1:${port}/`],
  ["a number for one", (port: number) => `http://2130706433:${port}/`],
  ["a name", (port: number) => `http://localhost:${port}/`],
  ["an IPv4 address in IPv6", (port: number) => `http://[::ffff:127.0.0.1]:${port}/`],
])("%s on the loopback is refused before anything connects", async (_, url) => {
  await using receiver = await HttpReceiver.start();
  const request = { url: url(receiver.port), body: "{}", idempotencyKey: "x" };
  await expect(postWebhook(request)).rejects.toMatchObject({
    code: "WEBHOOK_ADDRESS_REFUSED",
    retryable: false,
  });
  expect(receiver.connections).toBe(0);
});

test("a name that is public at one look and private at the next is caught at the next", async () => {
  await using receiver = await HttpReceiver.start();
  let looks = 0;
  const lookup = (): Promise<{ address: string; family: number }[]> => {
    looks += 1;
    return Promise.resolve([{ address: looks === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }]);
  };
  const request = {
    url: `http://rebinding.example:${receiver.port}/`,
    body: "{}",
    idempotencyKey: "x",
    allowAddresses: LOOPBACK,
  };
  await postWebhook(request, { lookup });
  // One look-up, and the socket went to what it gave.
  expect({ looks, got: receiver.received.length }).toEqual({ looks: 1, got: 1 });
  await expect(postWebhook(request, { lookup })).rejects.toMatchObject({
    code: "WEBHOOK_ADDRESS_REFUSED",
  });
  expect(receiver.received).toHaveLength(1);
});

test("a name with a public and a private address is refused whole", async () => {
  await using receiver = await HttpReceiver.start();
  const lookup = (): Promise<{ address: string; family: number }[]> =>
    Promise.resolve([
      { address: "127.0.0.1", family: 4 },
      { address: "10.0.0.1", family: 4 },
    ]);
  const request = { url: `http://two.example:${receiver.port}/`, body: "{}", idempotencyKey: "x" };
  await expect(
    postWebhook({ ...request, allowAddresses: LOOPBACK }, { lookup }),
  ).rejects.toMatchObject({ code: "WEBHOOK_ADDRESS_REFUSED" });
  expect(receiver.connections).toBe(0);
});

test("a redirect into what is refused is refused there, and nothing connects", async () => {
  await using receiver = await HttpReceiver.start((url) =>
    url === "/hook" ? { status: 307, location: `http://127.0.0.2:${receiver.port}/inner` } : 204,
  );
  const request = { url: receiver.url(), body: "{}", idempotencyKey: "x" };
  await expect(postWebhook({ ...request, allowAddresses: LOOPBACK })).rejects.toMatchObject({
    code: "WEBHOOK_ADDRESS_REFUSED",
  });
  expect(receiver.received.map(({ url }) => url)).toEqual(["/hook"]);
});

test("a redirect is followed with method and body; headers stay with the host they are for", async () => {
  await using other = await HttpReceiver.start();
  await using receiver = await HttpReceiver.start((url) =>
    url === "/hook" ? { status: 308, location: "/here" } : { status: 307, location: other.url() },
  );
  await postWebhook({
    url: receiver.url(),
    body: '{"a":1}',
    idempotencyKey: "x",
    headers: { authorization: "Bearer t" },
    allowAddresses: LOOPBACK,
  });
  expect(receiver.received.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ["/hook", "Bearer t"],
    ["/here", "Bearer t"],
  ]);
  expect(other.received[0]?.body).toBe('{"a":1}');
  expect(other.received[0]?.headers.authorization).toBeUndefined();
});

test("redirects end somewhere, and one that would turn the POST into a GET is no delivery", async () => {
  await using receiver = await HttpReceiver.start((url) => ({
    status: url === "/see-other" ? 303 : 307,
    location: "/again",
  }));
  const request = { body: "{}", idempotencyKey: "x", allowAddresses: LOOPBACK };
  await expect(postWebhook({ ...request, url: receiver.url() })).rejects.toMatchObject({
    code: "NOTICE_UNDELIVERED",
  });
  expect(receiver.received).toHaveLength(4);
  await expect(postWebhook({ ...request, url: receiver.url("/see-other") })).rejects.toMatchObject({
    code: "NOTICE_UNDELIVERED",
    retryable: false,
  });
  expect(receiver.received).toHaveLength(5);
});

test.each([
  [500, true],
  [503, true],
  [429, true],
  [400, false],
  [404, false],
])("status %i is undelivered, retryable: %s", async (status, retryable) => {
  await using receiver = await HttpReceiver.start(() => status);
  const request = { url: receiver.url(), body: "{}", idempotencyKey: "x" };
  await expect(postWebhook({ ...request, allowAddresses: LOOPBACK })).rejects.toMatchObject({
    code: "NOTICE_UNDELIVERED",
    retryable,
  });
});

test("a receiver that never answers costs the time limit, and the caller's signal ends it sooner", async () => {
  await using receiver = await HttpReceiver.start(() => "hang");
  const request = {
    url: receiver.url(),
    body: "{}",
    idempotencyKey: "x",
    allowAddresses: LOOPBACK,
  };
  await expect(postWebhook({ ...request, timeoutMs: 50 })).rejects.toMatchObject({
    code: "NOTICE_TIMEOUT",
    retryable: true,
  });
  const reason = new Error("enough");
  await expect(postWebhook({ ...request, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("a closed port is undelivered, and worth a retry", async () => {
  const receiver = await HttpReceiver.start();
  const url = receiver.url();
  await receiver[Symbol.asyncDispose]();
  await expect(
    postWebhook({ url, body: "{}", idempotencyKey: "x", allowAddresses: LOOPBACK }),
  ).rejects.toMatchObject({ code: "NOTICE_UNDELIVERED", retryable: true });
});

test("a body above its bound is refused", async () => {
  await using receiver = await HttpReceiver.start();
  const request = { url: receiver.url(), idempotencyKey: "x", allowAddresses: LOOPBACK };
  await expect(postWebhook({ ...request, body: "ää", bodyBytesMax: 3 })).rejects.toMatchObject({
    code: "WEBHOOK_BODY_TOO_LARGE",
  });
  expect(receiver.connections).toBe(0);
  await postWebhook({ ...request, body: "ää", bodyBytesMax: 4 });
});

test.each(["ftp://example.com/", "https://user:pass@example.com/", "example.com/hook", ""])(
  "%s is no address for a webhook",
  (url) => {
    expect(() => createChannel({ type: "webhook", url })).toThrow(
      expect.objectContaining({ code: "CHANNEL_INVALID" }),
    );
  },
);

test("the channel posts the notification as JSON, fits it into its bound, and keeps its path to itself", async () => {
  await using receiver = await HttpReceiver.start();
  const channel = createChannel({
    type: "webhook",
    url: receiver.url("/token-in-path"),
    allowAddresses: LOOPBACK,
    bodyBytesMax: 400,
  });
  expect(channel.name).toBe(`webhook http://127.0.0.1:${receiver.port}`);
  await channel.send(notice({ data: { attempts: 3 } }));
  await channel.send(notice({ message: "\u0001".repeat(9_000), data: { a: "b".repeat(9_000) } }));
  await channel.send(notice({ title: "ä".repeat(9_000), message: "why" }));
  const [small, large, titled] = receiver.received;
  expect(JSON.parse(small?.body ?? "")).toEqual(notice({ data: { attempts: 3 } }));
  expect(large?.body.length).toBeLessThanOrEqual(400);
  expect(JSON.parse(large?.body ?? "")).toMatchObject({ title: "Chroma is away", truncated: true });
  expect(large?.headers["webhook-id"]).toBe("n-1");
  expect(Buffer.byteLength(titled?.body ?? "")).toBeLessThanOrEqual(400);
  expect(JSON.parse(titled?.body ?? "")).toMatchObject({
    title: expect.stringMatching(/^ä+$/),
    truncated: true,
  });
});
