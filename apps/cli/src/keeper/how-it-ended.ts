/** An end that nobody asked for, in words. Who did not start the server learns neither. */
export function howItEnded(exit: {
  code: number | null | undefined;
  signal: string | null | undefined;
}): string {
  const { code, signal } = exit;
  if (typeof signal === "string") return `Chroma ended by ${signal}`;
  return typeof code === "number" ? `Chroma ended with exit code ${code}` : "Chroma ended";
}
