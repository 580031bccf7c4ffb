/** A document of two rules, with comments. */
export const POLICY_RULES: string = `# The team's rules
rules:
  # Nothing secret is stored.
  no-secrets:
    priority: 100
    conditions:
      - {type: contains, field: text, value: password}
    actions:
      - {type: abort, parameters: {reason: It holds a password.}}
  # Errors are marked.
  errors:
    scope: user
    conditions:
      - {type: equals, field: type, value: error}
    actions: [{type: add_tag, parameters: {tag: error}}]
    cooldown_period: 60
`;
