/**
 * Secrets made at run time from a seed, so that none stands in a file. `known` is what the patterns
 * were written against; `held-out.ts` was written after them.
 */

/** A small generator of numbers from 0 to 1 (mulberry32): the same seed, the same secrets. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const LOWER = "abcdefghijklmnopqrstuvwxyz";
export const UPPER = LOWER.toUpperCase();
export const DIGITS = "0123456789";
export const HEX = "0123456789abcdef";
export const ALNUM: string = LOWER + UPPER + DIGITS;
export const URLSAFE: string = `${ALNUM}-_`;
export const BASE64: string = `${ALNUM}+/`;

export class Dice {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomOf(seed);
  }

  of(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[Math.floor(this.next() * alphabet.length)]).join(
      "",
    );
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** As people choose passwords: letters, a digit, perhaps a sign. */
  password(): string {
    return (
      this.of(LOWER, 5) + this.of(UPPER, 2) + this.of(DIGITS, 3) + this.pick(["!", "#", "", "?"])
    );
  }
}

export interface Sample {
  kind: string;
  /** What must not survive. */
  secret: string;
  text: string;
}

const PREFIXED: Readonly<Record<string, (dice: Dice) => string>> = {
  aws: (dice) => "AKIA" + dice.of(UPPER + DIGITS, 16),
  github: (dice) => "ghp_" + dice.of(ALNUM, 36),
  githubFine: (dice) => `github_pat_${dice.of(ALNUM, 22)}_${dice.of(ALNUM, 59)}`,
  gitlab: (dice) => "glpat-" + dice.of(URLSAFE, 20),
  slack: (dice) => `xoxb-${dice.of(DIGITS, 12)}-${dice.of(DIGITS, 12)}-${dice.of(ALNUM, 24)}`,
  openai: (dice) => "sk-proj-" + dice.of(URLSAFE, 74),
  anthropic: (dice) => "sk-ant-api03-" + dice.of(URLSAFE, 93) + "AA",
  google: (dice) => "AIza" + dice.of(URLSAFE, 35),
  stripe: (dice) => "sk_live_" + dice.of(ALNUM, 24),
  npm: (dice) => "npm_" + dice.of(ALNUM, 36),
  sendgrid: (dice) => `SG.${dice.of(URLSAFE, 22)}.${dice.of(URLSAFE, 43)}`,
  telegram: (dice) => `${dice.of("123456789", 10)}:AA${dice.of(URLSAFE, 33)}`,
  jwt: (dice) => `eyJ${dice.of(ALNUM, 33)}.eyJ${dice.of(ALNUM, 60)}.${dice.of(URLSAFE, 43)}`,
  huggingface: (dice) => "hf_" + dice.of(ALNUM, 34),
  azureSecret: (dice) => `${dice.of(ALNUM, 3)}8Q~${dice.of(`${URLSAFE}.~`, 34)}`,
  braintree: (dice) => `access_token$production$${dice.of(LOWER + DIGITS, 16)}$${dice.of(HEX, 32)}`,
  razorpay: (dice) => "rzp_live_" + dice.of(ALNUM, 14),
  shippo: (dice) => "shippo_live_" + dice.of(HEX, 40),
  contentful: (dice) => "CFPAT-" + dice.of(URLSAFE, 43),
  alibaba: (dice) => "LTAI5t" + dice.of(ALNUM, 18),
  flutterwave: (dice) => `FLWSECK_TEST-${dice.of(HEX, 32)}-X`,
  easypost: (dice) => "EZAK" + dice.of(HEX, 54),
  clojars: (dice) => "CLOJARS_" + dice.of(HEX, 60),
  infracost: (dice) => "ico-" + dice.of(ALNUM, 32),
  langsmith: (dice) => `lsv2_pt_${dice.of(HEX, 32)}_${dice.of(HEX, 10)}`,
  elevenlabs: (dice) => "sk_" + dice.of(HEX, 48),
  neon: (dice) => "napi_" + dice.of(LOWER + DIGITS, 64),
  sonar: (dice) => "sqp_" + dice.of(HEX, 40),
  trello: (dice) => "ATTA" + dice.of(HEX, 72),
  cloudflareOrigin: (dice) => `v1.0-${dice.of(HEX, 24)}-${dice.of(HEX, 146)}`,
  bcrypt: (dice) => "$2b$12$" + dice.of(`${ALNUM}./`, 53),
  apr1: (dice) => `$apr1$${dice.of(ALNUM, 8)}$${dice.of(`${ALNUM}./`, 22)}`,
};

const PLACES: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => `I used ${secret} to sign in, and it worked.`,
  (secret) => `{"text":"the key is ${secret}","ok":true}`,
  (secret) => `curl https://api.example.com/v1?x=1 -H 'X-Thing: ${secret}'\nnext line`,
  (secret) => `(${secret})`,
];

const CREDENTIALS: Readonly<Record<string, (dice: Dice) => [secret: string, text: string]>> = {
  envFile: (dice) => around(dice.password(), (it) => `PORT=80\nDB_PASSWORD=${it}\nHOST=x`),
  envQuoted: (dice) => around(dice.password(), (it) => `export ADMIN_PASSWORD="${it}"`),
  envToken: (dice) => around(dice.of(HEX, 32), (it) => `DEPLOY_TOKEN=${it} npm run deploy`),
  awsSecret: (dice) => around(dice.of(BASE64, 40), (it) => `aws_secret_access_key = ${it}`),
  json: (dice) => around(dice.password(), (it) => `{"user":"ada","password":"${it}"}`),
  jsonInJson: (dice) =>
    around(dice.password(), (it) => String.raw`{"body":"{\"password\":\"${it}\"}"}`),
  yaml: (dice) => around(dice.of(HEX, 40), (it) => `client:\n  client_secret: ${it}\n`),
  url: (dice) => around(dice.password(), (it) => `postgres://app:${it}@db.example.com:5432/app`),
  urlAt: (dice) => around(`p@${dice.of(ALNUM, 9)}`, (it) => `mysql://root:${it}@127.0.0.1/x`),
  urlToken: (dice) =>
    around(dice.of(ALNUM, 40), (it) => `git clone https://${it}@example.com/a/b.git`),
  parameter: (dice) => around(dice.of(HEX, 32), (it) => `GET /v1/x?page=2&api_key=${it}&y=1`),
  flag: (dice) => around(dice.password(), (it) => `tool login --user ada --password ${it} --force`),
  flagEquals: (dice) => around(dice.of(HEX, 24), (it) => `tool --api-key=${it}`),
  argv: (dice) => around(dice.password(), (it) => `["deploy","--password","${it}","--yes"]`),
  mysql: (dice) => around(dice.password(), (it) => `mysql -u root -p${it} app`),
  curlUser: (dice) => around(dice.password(), (it) => `curl -u ada:${it} https://example.com`),
  bearer: (dice) => around(dice.of(ALNUM, 30), (it) => `Authorization: Bearer ${it}`),
  basic: (dice) => around(dice.of(BASE64, 24), (it) => `-H "authorization: Basic ${it}=="`),
  cookie: (dice) => around(dice.of(HEX, 32), (it) => `Cookie: theme=dark; sid=${it}`),
  header: (dice) => around(dice.of(HEX, 32), (it) => `x-api-key: ${it}`),
  code: (dice) => around(dice.password(), (it) => `const dbPassword = "${it}";`),
  prose: (dice) =>
    around(dice.password(), (it) => `The staging password is ${it}, please keep it.`),
  apiKeySaid: (dice) => around(dice.of(HEX, 32), (it) => `Here is the API key: ${it}`),
  apiKeyIs: (dice) => around(dice.of(HEX, 32), (it) => `my api key is ${it}`),
  tokenIs: (dice) => around(dice.of(HEX, 40), (it) => `the access token is ${it}, valid for a day`),
  sdkKey: (dice) =>
    around(`sdk-${dice.of(HEX, 8)}-${dice.of(HEX, 12)}`, (it) => `LD_SDK_KEY=${it}`),
  sshKeygen: (dice) => around(dice.password(), (it) => `ssh-keygen -t ed25519 -N "${it}" -f id`),
  psk: (dice) => around(dice.password(), (it) => `network={\n ssid="home"\n psk="${it}"\n}`),
  valueAndName: (dice) => around(dice.password(), (it) => `{"value":"${it}","name":"DB_PASSWORD"}`),
  bearerCall: (dice) => around(dice.of(HEX, 40), (it) => `client.get(url).bearer_auth("${it}")`),
  basicSome: (dice) => around(dice.password(), (it) => `.basic_auth("ada", Some("${it}"))`),
  twoArguments: (dice) => around(dice.password(), (it) => `define('DB_PASSWORD', '${it}');`),
  authentication: (dice) =>
    around(dice.password(), (it) => `new PasswordAuthentication("ada", "${it}".toCharArray())`),
  netUse: (dice) => around(dice.password(), (it) => `net use \\\\srv\\share ${it} /user:ada`),
  slashFlag: (dice) => around(dice.password(), (it) => `xfreerdp /v:host /u:ada /p:${it}`),
  pgpass: (dice) => around(dice.password(), (it) => `db.example.com:5432:app:ada:${it}`),
  sqlIdentified: (dice) =>
    around(dice.password(), (it) => `CREATE USER 'ada'@'%' IDENTIFIED BY '${it}';`),
  sqlPassword: (dice) =>
    around(dice.password(), (it) => `ALTER ROLE ada WITH LOGIN PASSWORD '${it}';`),
  sudo: (dice) => around(dice.password(), (it) => `echo '${it}' | sudo -S apt update`),
  passwordStdin: (dice) =>
    around(dice.password(), (it) => `echo "${it}" | docker login -u ada --password-stdin`),
  hereString: (dice) => around(dice.of(HEX, 40), (it) => `gh auth login --with-token <<< ${it}`),
  zip: (dice) => around(dice.password(), (it) => `zip -P ${it} out.zip a`),
  sevenZip: (dice) => around(dice.password(), (it) => `7z a -p${it} out.7z a`),
  ldap: (dice) => around(dice.password(), (it) => `ldapsearch -D cn=admin -w ${it} -b dc=x`),
  mongosh: (dice) => around(dice.password(), (it) => `mongosh -u ada -p ${it} --host x`),
  smb: (dice) => around(dice.password(), (it) => `smbclient //srv/share -U ada%${it}`),
  htpasswd: (dice) => around(dice.password(), (it) => `htpasswd -b .htpasswd ada ${it}`),
  loginArgument: (dice) => around(dice.of(HEX, 40), (it) => `wandb login ${it}`),
  configSet: (dice) =>
    around(dice.of(HEX, 36), (it) => `npm config set //registry.example.com/:_authToken ${it}`),
  sshpassVariable: (dice) => around(dice.password(), (it) => `SSHPASS=${it} sshpass -e ssh x`),
  applicationKey: (dice) => around(dice.of(HEX, 40), (it) => `application_key: ${it}`),
  pw: (dice) => around(dice.password(), (it) => `pw: ${it}`),
  german: (dice) => around(dice.password(), (it) => `Das Passwort lautet ${it}`),
  userSlash: (dice) => around(dice.password(), (it) => `creds: ada / ${it}`),
  seedPhrase: (dice) =>
    around(
      Array.from({ length: 12 }, () => dice.of(LOWER, dice.pick([4, 5, 6]))).join(" "),
      (it) => `my seed phrase: ${it}`,
    ),
  nameAndValue: (dice) =>
    around(dice.password(), (it) => `env:\n  - name: DB_PASSWORD\n    value: ${it}\n`),
  keyAndValue: (dice) => around(dice.password(), (it) => `<add key="DbPassword" value="${it}" />`),
  credentialCall: (dice) =>
    around(dice.password(), (it) => `requests.get(url, auth=("ada", "${it}"))`),
  curlCookie: (dice) =>
    around(dice.of(HEX, 64), (it) => `curl --cookie "connect.sid=s%3A${it}" https://x.example`),
  digest: (dice) =>
    around(
      dice.of(HEX, 32),
      (it) => `Authorization: Digest username="ada", nonce="abc", response="${it}"`,
    ),
  signedHeader: (dice) =>
    around(
      dice.of(HEX, 64),
      (it) => `Authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature=${it}`,
    ),
  signedUrl: (dice) =>
    around(dice.of(HEX, 64), (it) => `https://b.example/k?X-Amz-Expires=900&X-Amz-Signature=${it}`),
  teamsWebhook: (dice) =>
    around(
      dice.of(HEX, 32),
      (it) => `https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/${it}/0dc7904e`,
    ),
  zapierHook: (dice) =>
    around(
      dice.of(LOWER + DIGITS, 7),
      (it) => `https://hooks.zapier.com/hooks/catch/1234567/${it}/`,
    ),
  privateKey: (dice) =>
    around(dice.of(BASE64, 64), (it) => {
      const kind = dice.pick(["RSA ", "OPENSSH ", "", "EC "]);
      return `${pem("BEGIN", kind)}\n${dice.of(BASE64, 64)}\n${it}\n${pem("END", kind)}\nafter`;
    }),
  privateKeyCut: (dice) =>
    around(dice.of(BASE64, 64), (it) => `${pem("BEGIN")}\n${dice.of(BASE64, 64)}\n${it}`),
  random: (dice) =>
    around(dice.of(ALNUM, dice.pick([24, 32, 40, 64])), (it) => `it answered ${it} to me`),
};

/** The line that begins or ends a private key, which no file here is to hold. */
export function pem(word: "BEGIN" | "END", kind = ""): string {
  return `-----${word} ${kind}PRIVATE KEY-----`;
}

export function around(
  secret: string,
  write: (secret: string) => string,
): [secret: string, text: string] {
  return [secret, write(secret)];
}

/** `each` samples of every kind. */
export function knownSecrets(seed: number, each: number): Sample[] {
  const dice = new Dice(seed);
  const samples: Sample[] = [];
  for (let round = 0; round < each; round += 1) {
    for (const [kind, make] of Object.entries(PREFIXED)) {
      const secret = make(dice);
      samples.push({ kind, secret, text: dice.pick(PLACES)(secret) });
    }
    for (const [kind, make] of Object.entries(CREDENTIALS)) {
      const [secret, text] = make(dice);
      samples.push({ kind, secret, text });
    }
  }
  return samples;
}
