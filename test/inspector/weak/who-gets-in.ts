import { createHmac, createPublicKey, type JsonWebKey, randomUUID, verify } from 'node:crypto'
import type { Defect } from './defect.ts'
import { answerMessage, json, methodOf } from './mcp-core.ts'
import { isGood, mint, publicOrigin } from './tokens.ts'
import { type Asked, bearer, endpoint, inQuery, sound, tokensOf } from './weak-server.ts'

/** An event stream that says nothing. */
const stream = { status: 200, headers: { 'content-type': 'text/event-stream' }, body: ': open\n\n' }

function pathOf({ target }: Asked): string {
  return target.split('?')[0] ?? ''
}

/** Guards the one spelling, and answers under those that `isSame` takes for it. */
function guardedSpelling(isSame: (path: string) => boolean): Defect['broken'] {
  return {
    route: (asked) => sound.route(asked) ?? (isSame(pathOf(asked)) ? 'mcp' : undefined),
    isGuarded: (asked) => pathOf(asked) === endpoint,
  }
}

function headerOrAddress(asked: Asked): readonly string[] {
  const tokens = tokensOf(asked)
  return tokens.length > 0 ? tokens : inQuery(asked)
}

/** Somebody without a good token gets in. */
export const whoGetsIn: readonly Defect[] = [
  { name: 'asks for no token', broken: { isGuarded: () => false }, found: ['no-authentication'] },
  {
    name: 'asks for a token only when a tool is called',
    broken: { readsFirst: true, isGuarded: ({ body }) => methodOf(body) === 'tools/call' },
    found: ['open-listing', 'waits-for-body'],
  },
  {
    name: 'asks for a token for everything but a call',
    broken: { readsFirst: true, isGuarded: ({ body }) => methodOf(body) !== 'tools/call' },
    found: ['open-calls', 'waits-for-body'],
  },
  {
    name: 'asks for a token only when a tool list or a call comes',
    broken: { readsFirst: true, isGuarded: ({ body }) => methodOf(body)?.startsWith('tools/') === true },
    found: ['open-listing', 'waits-for-body'],
  },
  {
    name: 'asks for a token only of POST',
    broken: {
      isGuarded: ({ method }) => method === 'POST',
      methods: ['POST', 'GET'],
      serve: (asked) => (asked.method === 'GET' ? stream : answerMessage(asked.body)),
    },
    found: ['other-verb-open'],
  },
  {
    name: 'guards the path, and answers with a slash after it as well',
    broken: guardedSpelling((path) => path === `${endpoint}/`),
    found: ['other-spelling-open'],
  },
  {
    name: 'guards the path, and folds slashes when it routes',
    broken: guardedSpelling((path) => path.replace(/\/+/g, '/') === endpoint),
    found: ['other-spelling-open'],
  },
  {
    name: 'guards the path, and decodes it when it routes',
    broken: guardedSpelling((path) => path.includes('%') && safeDecode(path) === endpoint),
    found: ['other-spelling-open'],
  },
  {
    name: 'guards the path, and takes parameters off it when it routes',
    broken: guardedSpelling((path) => path.replace(/;[^/]*/g, '') === endpoint),
    found: ['other-spelling-open'],
  },
  {
    name: 'guards the path, and routes in any case',
    broken: guardedSpelling((path) => path.toLowerCase() === endpoint),
    found: ['other-spelling-open'],
  },
  {
    name: 'guards the path, and routes everything below it',
    broken: guardedSpelling((path) => path.startsWith(`${endpoint}/`)),
    found: ['other-spelling-open'],
  },
  {
    name: 'takes any token',
    broken: { admits: () => true },
    found: ['altered-token-admitted', 'bad-token-admitted'],
  },
  {
    name: 'takes every word that begins with Bearer for the scheme',
    broken: { tokens: (asked) => tokensOf(asked, (line) => /^bearer\w* +(\S+)$/i.exec(line)?.[1]) },
    found: ['scheme-ignored'],
  },
  {
    name: 'looks for the token behind any scheme',
    broken: { tokens: (asked) => tokensOf(asked, (line) => /^[\w-]+ +(\S+)$/.exec(line)?.[1]) },
    found: ['scheme-ignored'],
  },
  {
    name: 'decodes a JWT and verifies nothing',
    broken: { admits: (token) => isGood(token, { signature: false, expiry: false }) },
    found: ['altered-token-admitted'],
  },
  {
    name: 'does not look at the signature',
    broken: { admits: (token) => isGood(token, { signature: false }) },
    found: ['altered-token-admitted'],
  },
  {
    name: 'takes a JWT that is signed by nobody',
    broken: { admits: (token) => isGood(token, { none: true }) },
    found: ['altered-token-admitted'],
  },
  {
    name: 'takes tokens that have expired',
    broken: { admits: (token) => isGood(token, { expiry: false }) },
    token: () => mint({ secondsLeft: -3600 }),
    found: ['expired-token-admitted'],
  },
  {
    name: 'takes the first of two tokens',
    broken: { pick: ([first]) => first },
    found: ['two-credentials', 'two-methods'],
  },
  {
    name: 'takes the last of two tokens',
    broken: { pick: (tokens) => tokens.at(-1) },
    found: ['two-credentials'],
  },
  {
    name: 'takes a good one of two tokens',
    broken: { pick: (tokens) => tokens.find((token) => isGood(token)) ?? tokens[0] },
    found: ['two-credentials', 'two-methods'],
  },
  {
    name: 'takes a token from the address',
    broken: { tokens: headerOrAddress },
    found: ['token-in-query'],
  },
  {
    name: 'takes whatever stands in the address for a token',
    broken: {
      tokens: headerOrAddress,
      admits: (token, asked) => isGood(token) || inQuery(asked).includes(token),
    },
    found: ['other-credential-admitted'],
  },
  {
    name: 'does not mind a second token in the address',
    broken: { tokens: (asked) => tokensOf(asked).slice(0, asked.lines('authorization').length) },
    found: ['two-methods'],
  },
  {
    name: 'takes a token from a cookie',
    broken: {
      tokens: (asked) => {
        const [, cookie] = /(?:^|; *)access_token=([^;]+)/.exec(asked.lines('cookie')[0] ?? '') ?? []
        const tokens = tokensOf(asked)
        return tokens.length > 0 || cookie === undefined ? tokens : [cookie]
      },
    },
    found: ['token-in-cookie'],
  },
  {
    name: 'takes the number of a session for authentication',
    broken: {
      isGuarded: (asked) => asked.lines('mcp-session-id')[0] !== session,
      serve: ({ body }) => answerMessage(body, session),
    },
    found: ['session-guessable', 'session-without-token'],
  },
  {
    name: 'takes only the scheme Bearer with a capital letter',
    broken: {
      tokens: (asked) => tokensOf(asked, (line) => (line.startsWith('Bearer ') ? bearer(line) : undefined)),
    },
    found: ['scheme-case'],
  },
  {
    name: 'answers a bad token as if none were needed',
    broken: {
      readsFirst: true,
      refuse: (why, asked, token) =>
        why === 'bad' ? answerMessage(asked.body) : sound.refuse(why, asked, token),
    },
    found: ['altered-token-admitted', 'bad-token-admitted', 'waits-for-body'],
  },
  {
    name: 'believes a proxy that nobody has put before it',
    broken: { isGuarded: (asked) => asked.lines('x-forwarded-user').length === 0 },
    found: ['other-credential-admitted'],
  },
  {
    name: 'believes that a request comes from this machine',
    broken: { isGuarded: (asked) => asked.lines('x-forwarded-for')[0] !== '127.0.0.1' },
    found: ['other-spelling-open'],
  },
  {
    name: 'takes a bare Bearer',
    broken: { isGuarded: (asked) => asked.lines('authorization')[0]?.trim() !== 'Bearer' },
    found: ['other-credential-admitted'],
  },
  {
    name: 'compares keys without their case',
    broken: { admits: (token) => token.toLowerCase() === key.toLowerCase() },
    token: () => key,
    found: ['token-case'],
  },
  {
    name: 'looks only at the beginning of a key',
    broken: { admits: (token) => token.startsWith(key.slice(0, 12)) },
    token: () => key,
    found: ['altered-token-admitted'],
  },
  {
    name: 'lets everybody see its tools',
    broken: {
      readsFirst: true,
      isGuarded: ({ body }) =>
        !['server/discover', 'initialize', 'tools/list'].includes(methodOf(body) ?? ''),
    },
    found: ['open-listing', 'waits-for-body'],
  },
  {
    name: 'gives out tokens that anybody with the key of the server can make',
    broken: {},
    token: () => mint({ alg: 'HS256' }),
    found: ['shared-secret'],
  },
  {
    name: 'gives out tokens that never expire',
    broken: {},
    token: () => mint({ claims: { exp: undefined } }),
    found: ['token-without-expiry'],
  },
  {
    name: 'gives out tokens that are good for a month',
    broken: {},
    token: () => mint({ secondsLeft: 30 * 86_400, claims: { iat: Math.floor(Date.now() / 1000) } }),
    found: ['token-lives-long'],
  },
  {
    name: 'takes tokens that are for nobody',
    broken: { admits: (token) => isGood(token, { audience: false }) },
    token: () => mint({ claims: { aud: undefined } }),
    found: ['token-without-audience'],
  },
  {
    name: 'takes tokens for somebody else',
    broken: { admits: (token) => isGood(token, { audience: false }) },
    token: () => mint({ claims: { aud: 'https://other.example/mcp' } }),
    knownAs: publicOrigin,
    found: ['token-for-another-name'],
  },
  {
    name: 'refuses its own good token',
    broken: { admits: () => false },
    found: ['token-refused'],
  },
  {
    name: 'lets HEAD pass',
    broken: {
      isGuarded: ({ method }) => method !== 'HEAD',
      methods: ['POST', 'HEAD'],
      serve: (asked) => (asked.method === 'HEAD' ? json(200, {}) : answerMessage(asked.body)),
    },
    found: ['head-open'],
  },
  {
    name: 'carries messages out that come with OPTIONS',
    broken: {
      isGuarded: ({ method }) => method !== 'OPTIONS',
      preflight: (asked) => (asked.body === '' ? sound.preflight(asked) : answerMessage(asked.body)),
      readsFirst: true,
    },
    found: ['other-verb-open', 'waits-for-body'],
  },
  {
    name: 'believes a header that names another method',
    broken: { isGuarded: ({ lines }) => lines('x-http-method-override')[0] !== 'OPTIONS' },
    found: ['other-spelling-open'],
  },
  {
    name: 'believes a header that says the check was made already',
    broken: { isGuarded: ({ lines }) => lines('x-middleware-subrequest').length === 0 },
    found: ['other-spelling-open'],
  },
  {
    name: 'asks for no token for a list of messages',
    broken: {
      readsFirst: true,
      isGuarded: ({ body }) => !body.startsWith('['),
      serve: ({ body }) =>
        body.startsWith('[')
          ? json(
              200,
              (JSON.parse(body) as unknown[]).map((one) =>
                JSON.parse(answerMessage(JSON.stringify(one)).body!),
              ),
            )
          : answerMessage(body),
    },
    found: ['open-calls', 'waits-for-body'],
  },
  {
    name: 'leaves the transport of before open',
    broken: {
      route: (asked) => sound.route(asked) ?? (pathOf(asked) === '/sse' ? 'mcp' : undefined),
      early: (asked) =>
        pathOf(asked) === '/sse' && asked.method === 'GET'
          ? { ...stream, body: 'event: endpoint\ndata: /messages?sessionId=8f1c2\n\n' }
          : undefined,
    },
    found: ['other-door-open'],
  },
  {
    name: 'takes a token from a form',
    broken: {
      readsFirst: true,
      tokens: (asked) => {
        const [, token] = /^access_token=(\w+)$/.exec(asked.body) ?? []
        return token === undefined ? tokensOf(asked) : [token]
      },
    },
    found: ['token-in-body', 'waits-for-body'],
  },
  {
    name: 'takes a token from a message',
    broken: {
      readsFirst: true,
      tokens: (asked) => {
        const token = asked.body.startsWith('{"jsonrpc"') ? metaOf(asked.body).token : undefined
        return token === undefined ? tokensOf(asked) : [token]
      },
    },
    found: ['token-in-body', 'waits-for-body'],
  },
  {
    name: 'compares a token with a setting that is not there',
    broken: { admits: (token) => isGood(token) || token === String(undefined) },
    found: ['bad-token-admitted'],
  },
  {
    name: 'refuses the algorithm none, but not NONE',
    broken: { admits: (token) => isGood(token) || headerOf(token).alg === 'NONE' },
    found: ['altered-token-admitted'],
  },
  {
    name: 'verifies a token with the key that it brings along',
    broken: { admits: (token) => isGood(token) || isSignedByItself(token) },
    found: ['altered-token-admitted'],
  },
  {
    name: 'has an empty secret',
    broken: { admits: (token) => isGood(token) || isSignedWithNothing(token) },
    found: ['altered-token-admitted'],
  },
  {
    name: 'takes zeros for a signature',
    broken: { admits: (token) => isGood(token) || /\.A{86}$/.test(token) },
    found: ['altered-token-admitted'],
  },
  {
    name: 'lets the client choose the id of its session',
    broken: {
      serve: ({ body, lines }) => answerMessage(body, lines('mcp-session-id')[0] ?? randomUUID()),
    },
    found: ['session-chosen'],
  },
  {
    name: 'counts its sessions',
    broken: { serve: ({ body }) => answerMessage(body, `session-${++sessions}`) },
    found: ['session-guessable'],
  },
]

const key = 'wk_5f2d8a91c07b4e36a8d1f0c29b7e64d3'
const session = '4e1d0b0e-8f0a-4c37-9a53-5a1f8e1ad1c2'

let sessions = 1000

function metaOf(body: string): { token?: string } {
  try {
    return (JSON.parse(body) as { params?: { _meta?: { token?: string } } }).params?._meta ?? {}
  } catch {
    return {}
  }
}

function headerOf(token: string): { alg?: unknown; jwk?: JsonWebKey } {
  try {
    return JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())
  } catch {
    return {}
  }
}

function isSignedByItself(token: string): boolean {
  const { jwk } = headerOf(token)
  const [head, payload, signature = ''] = token.split('.')
  if (jwk === undefined) return false
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const text = Buffer.from(`${head}.${payload}`)
  return verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}

function isSignedWithNothing(token: string): boolean {
  const [head, payload, signature] = token.split('.')
  return createHmac('sha256', '').update(`${head}.${payload}`).digest('base64url') === signature
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
