import { anyObject, flag, list, type Members, named, object, text, whole, word } from '../file/shape.ts'
import type { PolicyDocument, PolicyRule, PolicyThings, PolicyWho } from './policy-document.ts'

const globs = list(text(), 0, 1000)
const someGlobs = list(text(), 1, 1000)
const names = list(text(), 0, 1000)
/** RFC 6749 section 3.3. */
const scope = text({
  pattern: /^[\x21\x23-\x5B\x5D-\x7E]+$/,
  expected: 'a scope: printable ASCII without space, quote or backslash',
})
const perMinute = whole(1, 1_000_000)

const things: Members<PolicyThings> = {
  tools: [globs, 'Names of tools: * is any text.'],
  resources: [globs, 'URIs of resources: * is any text without /, ** any text.'],
  prompts: [globs, 'Names of prompts: * is any text.'],
}

const who: Members<PolicyWho> = {
  scopes: [list(scope, 1, 100), 'Scopes the token must cover, all of them.'],
  subjects: [someGlobs, 'sub of the token, or the owner of an API key: * is any text.'],
  clients: [someGlobs, 'The client the token was issued to: * is any text.'],
  keys: [someGlobs, 'API keys, by id or name: * is any text.'],
  issuers: [someGlobs, 'iss of the token, exactly. An API key has none.'],
  tenants: [someGlobs, 'The tenant of an API key, or the claim tenant_id: * is any text.'],
}

const rule: Members<PolicyRule> = {
  name: [text(), 'What people call the rule.'],
  who: [object(who), 'Whom it is for. Default: everybody whose token is good.'],
  ...things,
  methods: [names, 'Methods beyond those of the protocol, exactly. Default: none.'],
  arguments: [
    named(anyObject, text(), 1000),
    'What the arguments of tools must be: JSON Schema 2020-12 by name or pattern of the tool. Default: anything.',
  ],
  readOnly: [flag, 'Allows only tools that say that they change nothing (readOnlyHint). Default: false.'],
  callsPerMinute: [
    perMinute,
    'Calls of tools by one principal a minute that this rule allows. Default: no limit.',
  ],
}

const policy: Members<PolicyDocument> = {
  default: [
    word('deny', 'allow'),
    'What happens to tools, resources and prompts that no rule names. Default: deny.',
  ],
  readOnly: [flag, 'Nobody may use tools but those that say that they change nothing. Default: false.'],
  deny: [object(things), 'Nobody may, whatever a rule says. Default: nothing.'],
  rules: [list(object(rule), 0, 1000), 'Who may see and do what. Default: none.'],
  requestsPerMinute: [perMinute, 'Requests of one principal a minute. Default: no limit.'],
  callsPerMinute: [
    perMinute,
    'Calls of tools by one principal a minute, all rules together. Default: no limit.',
  ],
}

/** What a policy may be, as far as that can be said without reading one part together with another. */
export const policyShape = object(policy)
