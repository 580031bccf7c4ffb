import type { NewMemory } from "@holdfast/memory";

/** What an agent might have learnt in a week; the searches below ask for it in other words. */
export const MEMORIES: readonly NewMemory[] = [
  note("The build needs Node 24; on 20 it fails in the test step.", "build"),
  note("Ada prefers small pull requests with one idea each.", "preference"),
  note("The staging database is restored every night at two.", "operations"),
  note("Payments are retried three times, then a person is told.", "decision"),
  note("Never deploy on a Friday afternoon: the on-call team is thin.", "rule"),
  note("The flaky login test was a race between the cookie and the redirect.", "lesson"),
  note("Customers in Japan expect the family name first.", "domain"),
  note("The search index is rebuilt from PostgreSQL, never the other way round.", "decision"),
  note("Grace owns the billing service; ask her before changing invoices.", "people"),
  note("Logs older than thirty days are deleted by law, not by taste.", "rule"),
  note(
    "The mobile app caches prices for five minutes. 💶 Naïve refreshes were too slow.",
    "domain",
  ),
  note("Roll back with the previous image tag; migrations are always compatible.", "operations"),
];

/** A question, and the start of the memory that answers it though they share no word of note. */
export const QUESTIONS: readonly { query: string; answer: string }[] = [
  { query: "how should I write the name of a Tokyo client", answer: "Customers in Japan" },
  { query: "what happens when a charge fails", answer: "Payments are retried" },
  { query: "who is responsible for customer bills", answer: "Grace owns" },
];

/** One of many small observations, as a working agent streams them. */
export function observation(number: number): NewMemory {
  const verb = ["read", "edited", "tested", "reviewed"][number % 4] ?? "read";
  const part = ["checkout", "login", "search", "billing", "catalogue"][number % 5] ?? "login";
  return {
    text: `Step ${number}: ${verb} src/${part}/step-${number}.ts, ${number % 7} findings`,
    tags: ["observation"],
    scope: { agent: "coder", session: "demo" },
  };
}

function note(text: string, tag: string): NewMemory {
  return { text, tags: [tag], scope: { user: "ada", agent: "coder" } };
}
