import { expect, test } from "@jest/globals";
import { startFixture } from "@holdfast/testkit";

const ECHO = new URL("fixtures/echo.ts", import.meta.url);

test("a fixture runs from source, line by line", async () => {
  await using fixture = startFixture(ECHO, ["hello"], { HOLDFAST_TEST: "there" });
  expect(await fixture.nextLine()).toBe("hello there 1500");
  fixture.send("again");
  expect(await fixture.nextLine()).toBe("again");
  fixture.send("exit");
  expect(await fixture.ended).toEqual({ code: 3, signal: null });
  await expect(fixture.nextLine()).rejects.toThrow("goodbye");
});

test("a fixture is killed when its test ends", async () => {
  const fixture = startFixture(ECHO, ["hello"]);
  await fixture.nextLine();
  await fixture.stop();
  expect(await fixture.ended).toEqual({ code: null, signal: "SIGKILL" });
});
