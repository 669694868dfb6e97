import type { Defect } from './defect.ts'
import { type Answer, json } from './mcp-core.ts'
import { audience, mint, plainOrigin, publicOrigin } from './tokens.ts'
import { type Asked, type Parts, type Refusal, refusal, sound } from './weak-server.ts'

/** Changes the answer to a request that has no good token. */
function refusing(
  change: (answer: Answer, why: Refusal, asked: Asked, token: string) => Answer,
): Partial<Parts> {
  return { refuse: (why, asked, token) => change(refusal(why, asked), why, asked, token) }
}

/** Puts another challenge into its refusals. */
function challenging(challenge: (asked: Asked, why: Refusal) => string): Partial<Parts> {
  return refusing((answer, why, asked) => ({
    ...answer,
    headers: { ...answer.headers, 'www-authenticate': challenge(asked, why) },
  }))
}

function without({ headers = {}, ...answer }: Answer, name: string): Answer {
  return { ...answer, headers: Object.fromEntries(Object.entries(headers).filter(([one]) => one !== name)) }
}

function challengeOf(answer: Answer): string {
  return String(answer.headers?.['www-authenticate'])
}

/** Refuses, and says it wrong. */
export const whatItAnswers: readonly Defect[] = [
  {
    name: 'refuses with 403',
    broken: refusing((answer, why) => (why === 'two' ? answer : { ...answer, status: 403 })),
    found: ['refused-with-403'],
  },
  {
    name: 'refuses with 400',
    broken: refusing((answer) => ({ ...answer, status: 400 })),
    found: ['refused-with-400'],
  },
  {
    name: 'refuses with 200 and an error in the body',
    broken: refusing(() =>
      json(200, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Unauthorized' } }),
    ),
    found: ['metadata-not-named', 'refused-with-200'],
  },
  {
    name: 'sends people to a page to log in',
    broken: refusing(() => ({ status: 302, headers: { location: '/login' } })),
    found: ['metadata-not-named', 'refused-with-redirect'],
  },
  {
    name: 'fails on a bad token',
    broken: refusing((answer, why) => (why === 'bad' ? json(500, { error: 'server_error' }) : answer)),
    found: ['server-error'],
  },
  {
    name: 'gives no challenge',
    broken: refusing((answer) => without(answer, 'www-authenticate')),
    found: ['metadata-not-named', 'no-challenge'],
  },
  {
    name: 'challenges with another scheme',
    broken: challenging(() => 'Basic realm="weak"'),
    found: ['challenge-without-bearer', 'metadata-not-named'],
  },
  {
    name: 'gives a challenge that cannot be read',
    broken: challenging(() => 'Bearer realm="weak, error=='),
    found: ['malformed-challenge', 'metadata-not-named', 'no-invalid-token'],
  },
  {
    name: 'gives a parameter twice',
    broken: refusing((answer) => ({
      ...answer,
      headers: { ...answer.headers, 'www-authenticate': `${challengeOf(answer)}, realm="again"` },
    })),
    found: ['repeated-parameter'],
  },
  {
    name: 'names an error although no token came',
    broken: { refuse: (why, asked) => refusal(why === 'none' ? 'bad' : why, asked) },
    found: ['error-without-credentials'],
  },
  {
    name: 'does not say that the token is invalid',
    broken: { refuse: (why, asked) => refusal(why === 'bad' ? 'none' : why, asked) },
    found: ['no-invalid-token'],
  },
  {
    name: 'repeats the token in the body',
    broken: refusing((answer, why, _asked, token) =>
      why === 'bad' ? { ...answer, body: JSON.stringify({ error: 'invalid_token', token }) } : answer,
    ),
    found: ['leaks-details'],
  },
  {
    name: 'repeats the token in the challenge',
    broken: {
      refuse: (why, asked, token) =>
        refusal(why, asked, why === 'bad' ? `, error_description="${token} is not good"` : ''),
    },
    found: ['leaks-details'],
  },
  {
    name: 'shows where in its code it failed',
    broken: refusing((answer, why) =>
      why === 'bad'
        ? {
            ...answer,
            body: JSON.stringify({
              error: 'invalid_token',
              stack:
                'JsonWebTokenError: invalid signature\n    at verify (/srv/app/node_modules/jwt/verify.js:133:19)\n    at gate (/srv/app/src/auth.js:12:5)',
            }),
          }
        : answer,
    ),
    found: ['leaks-details', 'stack-trace'],
  },
  {
    name: 'tells a stranger which audience it expects',
    broken: {
      refuse: (why, asked) =>
        refusal(
          why,
          asked,
          why === 'bad' ? `, error_description="jwt audience invalid. expected: ${audience}"` : '',
        ),
    },
    found: ['leaks-details'],
  },
  {
    name: 'reads the body before it looks at the token',
    broken: {
      readsFirst: true,
      early: ({ method, body }) => {
        if (method !== 'POST') return undefined
        try {
          JSON.parse(body)
          return undefined
        } catch {
          return json(400, { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } })
        }
      },
    },
    found: ['waits-for-body'],
  },
  {
    name: 'sets a cookie',
    broken: { always: () => ({ 'set-cookie': 'sid=12345678; Path=/; HttpOnly' }) },
    found: ['sets-cookie'],
  },
  {
    name: 'lets refusals be kept by caches',
    broken: refusing((answer) => ({
      ...answer,
      headers: { ...answer.headers, 'cache-control': 'public, max-age=60' },
    })),
    found: ['cacheable-refusal'],
  },
  {
    name: 'does not name its metadata',
    broken: challenging((_asked, why) => challengeText(why)),
    found: ['metadata-not-named'],
  },
  {
    name: 'has no metadata where it says',
    broken: { metadata: () => json(404, { error: 'not_found' }) },
    found: ['metadata-missing'],
  },
  {
    name: 'has metadata that is no JSON',
    broken: {
      metadata: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' }),
    },
    found: ['metadata-missing'],
  },
  {
    name: 'has metadata of another resource',
    broken: changedMetadata({ resource: 'https://other.example/notes' }),
    found: ['metadata-resource'],
  },
  {
    name: 'has metadata without an authorization server',
    broken: { metadata: ({ origin }) => json(200, { resource: `${origin}/mcp` }) },
    found: ['metadata-without-servers'],
  },
  {
    name: 'guards its metadata',
    broken: { metadata: (asked) => refusal('none', asked) },
    found: ['metadata-missing'],
  },
  {
    name: 'has metadata that names a server without TLS',
    broken: changedMetadata({ authorization_servers: ['http://id.example'] }),
    found: ['metadata-bad-server'],
  },
  {
    name: 'has metadata of the whole of which it is a part',
    broken: { metadata: (asked) => changed(asked, { resource: asked.origin }) },
    found: ['metadata-other-name'],
  },
  {
    name: 'names metadata that is no address',
    broken: challenging((_asked, why) => challengeText(why, ', resource_metadata="mcp.json"')),
    found: ['metadata-address'],
  },
  {
    name: 'has its metadata elsewhere',
    broken: challenging((_asked, why) =>
      challengeText(why, ', resource_metadata="https://other.example/.well-known/oauth-protected-resource"'),
    ),
    found: ['metadata-elsewhere'],
  },
  {
    name: 'challenges with the word Bearer alone',
    broken: {
      ...challenging((_asked, why) => (why === 'none' ? 'Bearer' : challengeText(why))),
      metadata: () => json(404, { error: 'not_found' }),
    },
    found: ['bare-bearer'],
  },
  {
    name: 'refuses in words for people',
    broken: refusing((answer) => ({
      ...answer,
      headers: { ...answer.headers, 'content-type': 'text/html' },
      body: '<h1>Unauthorized</h1>',
    })),
    found: ['refusal-not-json'],
  },
  {
    name: 'refuses with 404',
    broken: refusing((answer) => ({ ...answer, status: 404 })),
    found: ['refused-with-another-status'],
  },
  {
    name: 'refuses a bad token with 403',
    broken: refusing((answer, why) => (why === 'bad' ? { ...answer, status: 403 } : answer)),
    found: ['bad-token-status'],
  },
  {
    name: 'tells what is wrong with a token',
    broken: {
      refuse: (why, asked, token) =>
        refusal(
          why,
          asked,
          why === 'bad'
            ? `, error_description="${token.split('.').length === 3 ? 'bad signature' : 'not a JWT'}"`
            : '',
        ),
    },
    found: ['bad-tokens-differ'],
  },
  {
    name: 'shows where in its code it failed when a message is broken',
    broken: {
      serve: (asked) => {
        const answer = sound.serve(asked)
        if (answer.status !== 400) return answer
        return { ...answer, body: 'SyntaxError\n    at parse (/srv/app/src/server.ts:40:12)' }
      },
    },
    found: ['stack-trace'],
  },
  {
    name: 'has pages for everybody in the network',
    broken: {
      route: (asked) => sound.route(asked) ?? (asked.target === '/openmcp.json' ? 'mcp' : undefined),
      early: ({ target }) => (target === '/openmcp.json' ? json(200, { tools: [] }) : undefined),
    },
    token: forPublic,
    knownAs: publicOrigin,
    found: ['public-pages'],
  },
  {
    name: 'does not insist on TLS',
    broken: { always: () => ({}) },
    token: forPublic,
    knownAs: publicOrigin,
    found: ['no-hsts'],
  },
  {
    name: 'is reached without TLS',
    broken: {},
    token: () => mint({ claims: { aud: `${plainOrigin}/mcp` } }),
    knownAs: plainOrigin,
    found: ['plain-http'],
  },
  {
    name: 'has moved',
    broken: { early: ({ origin }) => ({ status: 308, headers: { location: `${origin}/v2/mcp` } }) },
    found: ['redirected'],
  },
  {
    name: 'is no MCP server',
    broken: {
      early: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' }),
    },
    found: ['not-mcp'],
  },
  {
    name: 'fails',
    broken: { early: () => json(500, { error: 'server_error' }) },
    found: ['server-error'],
  },
]

/** A token for the server that is not on this machine. */
function forPublic(): string {
  return mint({ claims: { aud: `${publicOrigin}/mcp` } })
}

function changed(asked: Asked, members: object): Answer {
  return json(200, { ...(JSON.parse(sound.metadata(asked).body ?? '') as object), ...members })
}

function changedMetadata(members: object): Partial<Parts> {
  return { metadata: (asked) => changed(asked, members) }
}

/** A challenge without an address of metadata. */
function challengeText(why: Refusal, more = ''): string {
  const error = { none: '', bad: ', error="invalid_token"', two: ', error="invalid_request"' }[why]
  return `Bearer realm="weak"${more}${error}`
}
