import { expect, test } from "@jest/globals";
import { AddressGuard } from "@holdfast/notify";

test.each([
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:8.8.8.8",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%lo",
  "ff02::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "localhost",
  "2130706433",
  "",
])("%s is refused", (address) => {
  expect(new AddressGuard().permits(address)).toBe(false);
});

test.each(["8.8.8.8", "172.15.255.255", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111"])(
  "%s is public",
  (address) => {
    expect(new AddressGuard().permits(address)).toBe(true);
  },
);

test("what is allowed is permitted, and nothing beside it", () => {
  const guard = new AddressGuard(["127.0.0.1", "10.1.0.0/16", "fd00::/8"]);
  expect(["127.0.0.1", "10.1.255.1", "fd00::1"].map((each) => guard.permits(each))).toEqual([
    true,
    true,
    true,
  ]);
  expect(["127.0.0.2", "10.2.0.1", "fe80::1", "::1"].map((each) => guard.permits(each))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test.each(["localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "fd00::/129", "*"])(
  "%s is no network to allow",
  (text) => {
    expect(() => new AddressGuard([text])).toThrow(
      expect.objectContaining({ code: "CHANNEL_INVALID" }),
    );
  },
);
