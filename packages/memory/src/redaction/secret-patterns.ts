/** A way in which secrets show themselves. */
export interface SecretPattern {
  /** Names it in the mark that takes the secret's place. */
  kind: string;
  /** Without one of these in a text, it need not be searched; none means that it must. */
  hints: readonly string[];
  /** Global. The group `secret` is what is taken out; without one, all that matched is. */
  expression: RegExp;
  /**
   * Sticky. When `expression` finds no more than a name, the value that follows; it is looked at
   * only if the group `name` names a secret, and what is inside another value is found, too.
   */
  value?: RegExp;
  /** Whether a match is one after all. */
  accepts?: (groups: Readonly<Record<string, string | undefined>>) => boolean;
}

/** `prefix`es of a provider's keys, and what follows them. */
function provider(kind: string, hints: readonly string[], source: string): SecretPattern {
  return { kind, hints, expression: new RegExp(`(?<![A-Za-z0-9])(?:${source})`, "g") };
}

/**
 * Keys and tokens that their makers gave a form of their own. A form is recognised also when it is
 * cut short: what is left of a secret is one too.
 */
export const PROVIDER_PATTERNS: readonly SecretPattern[] = [
  {
    kind: "private-key",
    hints: ["PRIVATE KEY"],
    // To its end; when that was cut off, as far as it looks like one.
    expression:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^]{0,65536}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\\[nr]|[\s"'+,>|]){0,16}[A-Za-z0-9+/=]{16,}){0,2048}(?:(?:\\[nr]|[\s"'+,>|]){0,16}[A-Za-z0-9+/=]{8,15})?)/g,
  },
  provider("age-key", ["AGE-SECRET-KEY-"], "AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
  provider(
    "aws-key",
    ["AKIA", "ASIA", "ABIA", "ACCA"],
    "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
  ),
  provider("github-token", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{20,}"),
  provider("github-token", ["github_pat_"], "github_pat_[A-Za-z0-9_]{20,}"),
  provider(
    "gitlab-token",
    ["gl"],
    "gl(?:pat|dt|rt|rtr|ptt|cbt|ft|imt|agent|soat|oas|ffct)-[A-Za-z0-9_.-]{16,}",
  ),
  provider("slack-token", ["xox", "xapp-"], "(?:xox[abcdeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
  {
    kind: "slack-webhook",
    hints: ["hooks.slack.com"],
    expression:
      /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[A-Za-z0-9/_-]{10,})/g,
  },
  {
    kind: "webhook",
    hints: ["webhook.office.com", "hooks.zapier.com", "maker.ifttt.com", "hook."],
    expression:
      /(?:webhook\.office\.com\/[^\s"'<>]{1,300}?\/IncomingWebhook|hooks\.zapier\.com\/hooks\/catch|maker\.ifttt\.com\/[^\s"'<>]{1,100}?\/key|\bhook\.(?:[a-z0-9]{2,8}\.)?make\.com)\/(?<secret>[A-Za-z0-9/_-]{6,})/g,
  },
  {
    kind: "discord-webhook",
    hints: ["/api/webhooks/"],
    expression: /discord(?:app)?\.com\/api\/webhooks\/\d+\/(?<secret>[\w-]{20,})/g,
  },
  provider(
    "discord-token",
    ["."],
    "[MNO][A-Za-z0-9_-]{22,26}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,}",
  ),
  provider("telegram-token", [":AA"], "\\d{8,10}:AA[A-Za-z0-9_-]{30,}"),
  // OpenAI, Anthropic, DeepSeek, OpenRouter and many others.
  provider("api-key", ["sk-"], "sk-(?:[a-z0-9]{2,12}-)*[A-Za-z0-9_-]{20,}"),
  provider(
    "api-key",
    ["gsk_", "xai-", "pplx-", "r8_", "nvapi-", "fw_"],
    "(?:gsk_|xai-|pplx-|r8_|nvapi-|fw_)[A-Za-z0-9_-]{20,}",
  ),
  provider("huggingface-token", ["hf_", "api_org_"], "(?:hf_|api_org_)[A-Za-z0-9]{20,}"),
  provider("chroma-key", ["ck-"], "ck-[A-Za-z0-9]{30,}"),
  provider("google-key", ["AIza"], "AIza[A-Za-z0-9_-]{30,}"),
  provider(
    "google-token",
    ["ya29.", "GOCSPX-", "1//0"],
    "(?:ya29\\.|GOCSPX-|1//0)[A-Za-z0-9_-]{20,}",
  ),
  // Stripe, Clerk, Razorpay, Shippo, Duffel and others.
  provider(
    "live-key",
    ["_live_", "_test_"],
    "(?:sk|rk|pk|rzp)_(?:live|test)_[A-Za-z0-9]{10,}|[a-z]{2,12}_(?:live|test)_(?=[A-Za-z-]{0,40}\\d)[A-Za-z0-9-]{14,}",
  ),
  provider("sonar-token", ["sq"], "sq[apu]_[0-9a-f]{40}"),
  provider("cloudflare-key", ["v1.0-"], "v1\\.0-[0-9a-f]{20,}-[0-9a-f]{60,}"),
  provider("elevenlabs-key", ["sk_"], "sk_[0-9a-f]{40,}"),
  provider("langsmith-key", ["lsv2_"], "lsv2_[a-z]{2}_[0-9a-f]{20,}(?:_[0-9a-f]{6,})?"),
  provider(
    "braintree-token",
    ["access_token$"],
    "access_token\\$[a-z]{4,12}\\$[a-z0-9]{8,}\\$[0-9a-f]{20,}",
  ),
  provider("flutterwave-key", ["FLWSECK"], "FLWSECK(?:_TEST)?-[A-Za-z0-9]{16,}(?:-X)?"),
  provider("contentful-token", ["CFPAT-"], "CFPAT-[A-Za-z0-9_-]{30,}"),
  provider("easypost-key", ["EZ"], "EZ[AT]K[A-Za-z0-9]{40,}"),
  provider("clojars-token", ["CLOJARS_"], "CLOJARS_[0-9a-f]{30,}"),
  provider("infracost-key", ["ico-"], "ico-[A-Za-z0-9]{30,}"),
  provider("neon-key", ["napi_"], "napi_[a-z0-9]{40,}"),
  provider("alibaba-key", ["LTAI"], "LTAI[A-Za-z0-9]{16,26}(?![A-Za-z0-9])"),
  provider("azure-secret", ["Q~"], "[A-Za-z0-9_.~-]{3}[78]Q~[A-Za-z0-9_.~-]{28,}"),
  {
    kind: "password-hash",
    hints: ["$"],
    expression:
      /\$(?:2[abxy]|[156y]|gy|apr1|argon2(?:id|i|d)|scrypt|pbkdf2-sha\d+)\$[A-Za-z0-9./=,+-]{1,64}\$[A-Za-z0-9./=,+$-]{20,}/g,
  },
  provider("webhook-secret", ["whsec_"], "whsec_[A-Za-z0-9+/=]{16,}"),
  provider("twilio-key", ["SK"], "SK[0-9a-f]{32}(?![A-Za-z0-9])"),
  provider("sendgrid-key", ["SG."], "SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{20,}"),
  provider("mailgun-key", ["key-"], "key-[0-9a-f]{32}(?![A-Za-z0-9])"),
  provider("mailchimp-key", ["-us"], "[0-9a-f]{32}-us\\d{1,2}(?!\\d)"),
  provider("npm-token", ["npm_"], "npm_[A-Za-z0-9]{30,}"),
  provider("pypi-token", ["pypi-"], "pypi-[A-Za-z0-9_-]{50,}"),
  provider("rubygems-key", ["rubygems_"], "rubygems_[0-9a-f]{40,}"),
  provider("crates-token", ["cio"], "cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
  provider("docker-token", ["dckr_"], "dckr_[a-z]{2,5}_[A-Za-z0-9_-]{20,}"),
  provider("digitalocean-token", ["_v1_"], "do[opr]_v1_[0-9a-f]{40,}"),
  provider("databricks-token", ["dapi"], "dapi[0-9a-f]{32}(?:-\\d)?"),
  provider("shopify-token", ["shp"], "shp(?:at|ca|pa|ss|ua)_[0-9A-Fa-f]{32}"),
  provider("square-token", ["sq0", "EAAA"], "(?:sq0[a-z]{3}-|EAAA)[A-Za-z0-9_-]{22,}"),
  provider("facebook-token", ["EAA"], "EAA[A-Za-z0-9]{40,}"),
  provider("vault-token", ["hv"], "hv[sbr]\\.[A-Za-z0-9_-]{20,}"),
  provider("terraform-token", [".atlasv1."], "[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{40,}"),
  provider("pulumi-token", ["pul-"], "pul-[0-9a-f]{40}"),
  provider("linear-key", ["lin_"], "lin_(?:api|oauth)_[A-Za-z0-9]{30,}"),
  provider("notion-token", ["ntn_", "secret_"], "(?:ntn|secret)_[A-Za-z0-9]{40,}"),
  provider("figma-token", ["fig"], "fig[dour]_[A-Za-z0-9_-]{30,}"),
  provider("postman-key", ["PMAK-"], "PMAK-[0-9a-f]{20,}-[0-9a-f]{20,}"),
  provider("grafana-token", ["gl"], "gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}"),
  provider("newrelic-key", ["NR"], "NR(?:AK|II|JS|RA)-[A-Za-z0-9]{16,}"),
  provider("sentry-token", ["sntry"], "sntry[su]_[A-Za-z0-9+/=_-]{40,}"),
  provider("atlassian-token", ["AT"], "AT(?:ATT|CTT|BB|TA)[A-Za-z0-9_=-]{24,}"),
  provider("planetscale-token", ["pscale_"], "pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{30,}"),
  provider("supabase-key", ["sbp_", "sb_secret_"], "(?:sbp_|sb_secret_)[A-Za-z0-9_-]{20,}"),
  provider("doppler-token", ["dp."], "dp\\.(?:pt|st|ct|sa|scim|audit)\\.[A-Za-z0-9.]{36,}"),
  provider("tailscale-key", ["tskey-"], "tskey-[a-z]+-[A-Za-z0-9-]{16,}"),
  provider("airtable-token", ["pat"], "pat[A-Za-z0-9]{14}\\.[0-9a-f]{60,}"),
  provider("netlify-token", ["nfp_"], "nfp_[A-Za-z0-9]{30,}"),
  provider("circleci-token", ["CCIPAT_"], "CCIPAT_[A-Za-z0-9_]{30,}"),
  provider("buildkite-token", ["bk"], "bk(?:ua|ct|ai)_[A-Za-z0-9]{30,}"),
  provider("sourcegraph-token", ["sgp_"], "sgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}"),
  provider("onepassword-token", ["ops_ey"], "ops_ey[A-Za-z0-9_=-]{60,}"),
  provider("fly-token", ["fm"], "fm[12][ar]?_[A-Za-z0-9+/=_-]{40,}"),
  provider("dropbox-token", ["sl."], "sl\\.[A-Za-z0-9_-]{60,}"),
  // A JSON Web Token, also one whose signature was cut off.
  provider("jwt", ["eyJ"], "eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*)?"),
];
