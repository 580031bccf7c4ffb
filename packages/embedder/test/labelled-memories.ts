export interface LabelledMemory {
  /** What an agent remembered. */
  memory: string;
  /** What it asks later, in other words. */
  query: string;
}

/** Paraphrases that share few words with their memory: they measure meaning. */
export const PARAPHRASES: readonly LabelledMemory[] = [
  {
    memory: "The user prefers dark mode in every editor",
    query: "which colour theme does she like",
  },
  { memory: "Maria is allergic to peanuts", query: "what food must we avoid for Maria" },
  { memory: "Deployments to production happen on Tuesday mornings", query: "when do we release" },
  {
    memory: "The staging database runs on Postgres 16",
    query: "what version of the test SQL server do we have",
  },
  { memory: "He bikes to the office unless it rains", query: "how does he commute to work" },
  { memory: "The API key rotates every ninety days", query: "how often are credentials replaced" },
  {
    memory: "Our biggest customer is a hospital chain in Lyon",
    query: "who is the most important client",
  },
  { memory: "Standup was moved to half past nine", query: "what time is the daily meeting" },
  {
    memory: "The invoice from the printing company is overdue",
    query: "which bill have we not paid yet",
  },
  {
    memory: "Tom is going on parental leave in March",
    query: "who will be away looking after a baby",
  },
  {
    memory: "The search page is slow because of a missing index",
    query: "why do lookups take so long",
  },
  {
    memory: "Use tabs, never spaces, in this repository",
    query: "how should the code be indented",
  },
  {
    memory: "The office closes at six in the evening",
    query: "until when can I stay in the building",
  },
  {
    memory: "Anna wants weekly summaries by email",
    query: "how does Anna like to receive reports",
  },
  {
    memory: "The mobile app crashes when the camera is denied",
    query: "bug with photo permission on phones",
  },
  {
    memory: "Her favourite music is Brazilian jazz",
    query: "what songs does she enjoy listening to",
  },
  {
    memory: "We decided against microservices last year",
    query: "what was the decision on the architecture",
  },
  { memory: "The dog needs a walk twice a day", query: "how often should the pet go outside" },
  {
    memory: "Backups are kept for thirty days in another region",
    query: "how long do we retain copies of the data",
  },
  {
    memory: "The landlord raised the rent by five percent",
    query: "how much more does the apartment cost now",
  },
  {
    memory: "Tests on the build server fail when the disk is full",
    query: "continuous integration breaks without storage space",
  },
  {
    memory: "Please address the professor formally",
    query: "what tone should I use with the teacher",
  },
  {
    memory: "Flight to Oslo leaves at seven in the morning",
    query: "when does the plane to Norway depart",
  },
  { memory: "The legal team must approve every contract", query: "who signs off agreements" },
  {
    memory: "Grandmother's birthday is on the fourth of May",
    query: "when do we celebrate grandma",
  },
  {
    memory: "The password for the guest wifi is on the fridge",
    query: "how can visitors get on the internet",
  },
  { memory: "He quit smoking two years ago", query: "does he use tobacco" },
  {
    memory: "The new intern speaks Japanese and Korean",
    query: "who can translate from Asian languages",
  },
  {
    memory: "The marketing budget was cut in half",
    query: "how much money is left for advertising",
  },
  { memory: "She takes her coffee without sugar", query: "how does she drink her espresso" },
  {
    memory: "The memory leak comes from unclosed sockets",
    query: "why does the process consume more and more RAM",
  },
  { memory: "Their car broke down near the border", query: "what happened to the vehicle" },
  { memory: "The client asked for a refund after the outage", query: "who wants the money back" },
  { memory: "Never call the customer before noon", query: "what is the best hour to phone" },
  {
    memory: "The garden must be watered while we are on holiday",
    query: "what do the plants need when we travel",
  },
  { memory: "The recipe needs two eggs and a cup of flour", query: "ingredients for baking" },
  { memory: "Log files are deleted after a week", query: "how long are the traces stored" },
  { memory: "Peter teaches chess at the primary school", query: "who gives lessons to children" },
  { memory: "The heating stopped working on Sunday", query: "why is it cold in the house" },
  {
    memory: "We sign commits with a hardware key",
    query: "how are changes to the source verified",
  },
];

/** Names, numbers and other scripts, where the exact word is what matters. */
export const EXACT_WORDS: readonly LabelledMemory[] = [
  { memory: "Service billing-gateway listens on port 8443", query: "port of billing-gateway" },
  { memory: "Service search-indexer listens on port 9102", query: "port of search-indexer" },
  { memory: "Error E4012 means the quota is exhausted", query: "what is E4012" },
  { memory: "Error E4021 means the token has expired", query: "what is E4021" },
  { memory: "Ticket HF-1182 tracks the login bug", query: "HF-1182" },
  { memory: "Ticket HF-1128 tracks the export bug", query: "HF-1128" },
  { memory: "Contact for Zylotex is Priya Raman", query: "who do we know at Zylotex" },
  { memory: "Contact for Quandrix is Lars Holm", query: "who do we know at Quandrix" },
  { memory: "東京のオフィスは渋谷にあります", query: "東京のオフィスはどこですか" },
  { memory: "会議は毎週月曜日に開かれます", query: "会議はいつですか" },
  { memory: "Встреча с клиентом перенесена на среду", query: "когда встреча с клиентом" },
  { memory: "Пароль хранится в сейфе", query: "где пароль" },
  { memory: "Der Schlüssel liegt unter der Fußmatte", query: "wo liegt der Schlüssel" },
  { memory: "Die Rechnung wird am Monatsende bezahlt", query: "wann wird die Rechnung bezahlt" },
  { memory: "The launch mood is 🚀🎉", query: "🚀🎉" },
  { memory: "The retro mood is 😴☕", query: "😴☕" },
];

/** Memories that no query asks for, near in subject to those that are. */
export const DISTRACTORS: readonly string[] = [
  "The user prefers short answers without bullet points",
  "Maria works from home on Fridays",
  "Production runs in three regions",
  "The analytics database runs on a laptop",
  "He parks in the second basement",
  "The API returns at most one hundred rows",
  "A hospital called about the delivery",
  "The retrospective was cancelled this week",
  "The printing company moved to a new address",
  "Tom likes hiking in the mountains",
  "The search page got a new logo",
  "The repository has two maintainers",
  "The office kitchen was renovated",
  "Anna changed her telephone number",
  "The mobile app supports eleven languages",
  "Her sister plays the violin",
  "We bought new microphones last year",
  "The dog is called Bruno",
  "The region manager visits in autumn",
  "The landlord lives in Spain",
  "The build server got more memory",
  "The professor published a book on bees",
  "It snowed in Oslo all week",
  "The legal team moved to the third floor",
  "Grandmother bakes an apple pie every Sunday",
  "The fridge makes a strange noise",
  "He started learning to paint two years ago",
  "The new intern sits next to the window",
  "The marketing team hired a photographer",
  "She takes the train without a reservation",
  "Sockets in the meeting room are broken",
  "Their car is red",
  "The client liked the presentation",
  "Never share the screen with notifications on",
  "The garden has three cherry trees",
  "The recipe book is a gift from my aunt",
  "Log in through the company portal",
  "Peter collects old stamps",
  "The heating bill arrives every quarter",
  "We use a shared calendar for holidays",
];
