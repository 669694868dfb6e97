import { audience, goodClaims, issuer, now } from '../forge.ts'
import { claimAs, claimsText, withClaims, withPayload } from './tokens.ts'
import { accepted, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

const prototypes: readonly Vector[] = [
  accepted(
    'B-34',
    'scopes in a claim __proto__: none',
    () =>
      withPayload(
        JSON.stringify({ ...goodClaims, scope: undefined }).replace('{', '{"__proto__":{"scope":"admin"},'),
      ),
    { scopes: [] },
  ),
  accepted('B-34', 'a subject in a claim __proto__: the own one counts', () =>
    withPayload(claimsText('"__proto__":{"sub":"admin","client_id":"admin"}')),
  ),
  accepted('B-34', 'claims named constructor, prototype and toString', () =>
    withPayload(claimsText('"constructor":{"prototype":{"scope":"admin"}},"prototype":1,"toString":null')),
  ),
]

const names: readonly Vector[] = [
  accepted('B-41', 'aud a list that holds ours', () =>
    withClaims({ aud: ['https://other.example', audience] }),
  ),
  accepted('B-41', 'aud a list of ours alone', () => withClaims({ aud: [audience] })),
  accepted('B-41', 'aud a list that holds ours twice', () => withClaims({ aud: [audience, audience] })),
  ...['https://mcp.example.com', 'https://mcp.example.com/'].map((aud) =>
    accepted(
      'B-44',
      `aud ${aud}, where both spellings are configured`,
      () => withClaims({ aud }),
      {},
      'two-audiences',
    ),
  ),
  ...[issuer, 'https://as.example.com/other'].map((iss) =>
    accepted('B-40', `iss ${iss}, where both are configured`, () => withClaims({ iss }), {}, 'two-issuers'),
  ),
  accepted(
    'B-42',
    'any aud where no audience is configured',
    () => withClaims({ aud: 'https://other.example' }),
    {},
    'no-audience',
  ),
  accepted(
    'B-42',
    'no aud where no audience is configured',
    () => withClaims({ aud: undefined }),
    {},
    'no-audience',
  ),
  accepted(
    'B-42',
    'any iss where no issuer is configured',
    () => withClaims({ iss: 'https://other.example' }),
    {},
    'no-issuer',
  ),
  accepted(
    'B-42',
    'neither iss nor aud where neither is configured',
    () => withClaims({ iss: undefined, aud: undefined }),
    {},
    'open',
  ),
  accepted('B-49', 'a client and no subject', () => withClaims({ sub: undefined }), { subject: undefined }),
  accepted('B-49', 'a subject of 255 letters', () => withClaims({ sub: 'x'.repeat(255) }), {
    subject: 'x'.repeat(255),
  }),
  ...(
    [
      ['client_id before azp, appid and cid', { client_id: 'a', azp: 'b', appid: 'c', cid: 'd' }, 'a'],
      ['azp before appid and cid', { client_id: undefined, azp: 'b', appid: 'c', cid: 'd' }, 'b'],
      ['appid before cid', { client_id: undefined, appid: 'c', cid: 'd' }, 'c'],
      ['cid alone', { client_id: undefined, cid: 'd' }, 'd'],
      ['a subject and no client', { client_id: undefined }, 'user-1'],
    ] as const
  ).map(([name, members, clientId]) => accepted('B-50 FL-41', name, () => withClaims(members), { clientId })),
  accepted('B-57', 'a delegated token: the subject stays', () =>
    withClaims({ act: { sub: 'agent', act: { sub: 'other-agent' } } }),
  ),
  accepted('B-58', 'the right tenant', () => withClaims({ tid: 'tenant-1' }), {}, 'tenant'),
]

const time = (name: string, members: object, verifier?: VerifierName, ids = 'B-45 B-48') =>
  accepted(ids, name, () => withClaims(members), {}, verifier)

const times: readonly Vector[] = [
  time('exp past, within the skew', { exp: now - 59 }),
  time('exp in half a second', { exp: now + 0.5 }),
  time('exp past, within the skew by a fraction', { exp: now - 59.5 }),
  time('exp in a second, where the skew is 0', { exp: now + 1 }, 'skew-0'),
  time('exp past by 299 seconds, where the skew is 300', { exp: now - 299, iat: undefined }, 'skew-300'),
  time('exp in the last second of the year 9999', { exp: 253_402_300_799 }),
  accepted('B-45', 'exp with an exponent', () => withPayload(claimAs('exp', '1.8000003e9'))),
  time('no exp, where exp is optional', { exp: undefined }, 'exp-optional'),
  time('nbf in the future, within the skew', { nbf: now + 60 }, undefined, 'B-46 B-48'),
  time('nbf now, where the skew is 0', { nbf: now }, 'skew-0', 'B-46 B-48'),
  time('nbf 0', { nbf: 0 }, undefined, 'B-46'),
  time('iat in the future, within the skew', { iat: now + 60 }, undefined, 'B-47 B-48'),
  time('no iat', { iat: undefined }, undefined, 'B-47'),
  time('issued longer ago than maxTokenAge, within the skew', { iat: now - 659 }, 'max-age', 'B-47 B-48'),
  time('issued within maxTokenAge', { iat: now - 599 }, 'max-age', 'B-47'),
  time(
    'issued within maxTokenAge and never expiring',
    { iat: now - 599, exp: undefined },
    'max-age-exp-optional',
    'B-47',
  ),
]

const scope = (
  name: string,
  members: object,
  scopes: readonly string[],
  verifier?: VerifierName,
  ids = 'B-51 B-52 FL-40',
) => accepted(ids, name, () => withClaims(members), { scopes }, verifier)

const scopes: readonly Vector[] = [
  scope('scope with blanks and repetitions', { scope: ' a  b a ' }, ['a', 'b']),
  scope('scope with a tab, which does not separate', { scope: 'a\tb' }, ['a\tb']),
  scope('scope with a line break, which does not separate', { scope: 'a\nb' }, ['a\nb']),
  scope('scope with a comma, which does not separate', { scope: 'a,b' }, ['a,b']),
  scope('scope in two cases, which are two scopes', { scope: 'mcp:read MCP:Read' }, ['mcp:read', 'MCP:Read']),
  scope('scope a list', { scope: ['a', 'b'] }, ['a', 'b']),
  scope('scope an empty list', { scope: [] }, []),
  scope('scp a text', { scope: undefined, scp: 'a b' }, ['a', 'b']),
  scope('scp a list', { scope: undefined, scp: ['a', 'b'] }, ['a', 'b']),
  scope('an empty scope beside scp', { scope: '', scp: 'b' }, []),
  scope('scope and scp: never both', { scope: 'a', scp: 'b' }, ['a']),
  scope('neither scope nor scp', { scope: undefined }, []),
  scope(
    'roles, permissions and scopes that nobody asked for',
    { scope: undefined, roles: ['a'], permissions: ['b'], scopes: 'c', realm_access: { roles: ['d'] } },
    [],
  ),
  scope(
    'permissions, which scopesFrom reads',
    { permissions: ['a', 'b'] },
    ['a', 'b'],
    'scopes-from-permissions',
  ),
  scope(
    'permissions as text, which scopesFrom reads',
    { permissions: 'a b' },
    ['a', 'b'],
    'scopes-from-permissions',
  ),
  scope(
    'no permissions, where scopesFrom reads them: scope does not step in',
    {},
    [],
    'scopes-from-permissions',
  ),
  scope('scope *, which is a scope like any other', { scope: '*' }, ['*'], undefined, 'B-54'),
  scope('scope mcp:*, which is a scope like any other', { scope: 'mcp:*' }, ['mcp:*'], undefined, 'B-54'),
  scope('the scope that is needed', { scope: 'mcp:admin' }, ['mcp:admin'], 'scope-needed', 'FL-42'),
]

const kinds: readonly Vector[] = [
  accepted('B-55', 'the claim typ Bearer of Keycloak', () => withClaims({ typ: 'Bearer' })),
  accepted('B-55', 'token_use access of Cognito', () => withClaims({ token_use: 'access' })),
  accepted('B-56', 'cnf with a member nobody knows', () => withClaims({ cnf: { kid: 'x' } })),
  accepted('B-56', 'an empty cnf', () => withClaims({ cnf: {} })),
  accepted('B-55', 'claims that ID tokens have too', () =>
    withClaims({ auth_time: now - 120, acr: '1', amr: ['pwd'], sid: 's-1' }),
  ),
]

/** Tokens that must pass for what they claim. */
export const passingClaims: readonly Vector[] = [...prototypes, ...names, ...times, ...scopes, ...kinds]
