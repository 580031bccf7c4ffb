/**
 * Polls until `met` answers with something other than false or undefined, and resolves with it.
 * The limit is generous: it ends a test that would hang, and measures nothing.
 * @throws Error naming `what` after `limitMs`.
 */
export async function until<T>(
  what: string,
  met: () => T | Promise<T>,
  limitMs = 60_000,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await met();
    if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
