import { generateKeyPairSync } from 'node:crypto'
import {
  clientCredentials,
  dpopKey,
  enterpriseManaged,
  refreshToken,
  type TokenSource,
  type TokenSourceEnvironment,
  tokenExchange,
  workloadIdentity,
} from 'mcp-bearer/client'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { expectNoLeak, fixture, partedFixture, plainFixture } from './capture.ts'
import { dump, echo, type Place, places, someWritings, type Writing, writings } from './capture-echo.ts'
import { answer, closeServers, failure, type Handler, listen } from './servers.ts'

afterEach(closeServers)

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const known = {
  secret: `${fixture('client secret')} & "more"`,
  refresh: fixture('refresh token'),
  subject: partedFixture('subject token'),
  assertion: partedFixture('assertion'),
  access: fixture('access token'),
  // What comes before it is the same for every key of the curve.
  key: privateKey.split('\n').slice(2, -2).join(''),
}

/** Where a server keeps its endpoints. */
interface Urls {
  readonly issuer: string
  readonly tokenEndpoint?: string
}

type Make = (urls: Urls, environment: TokenSourceEnvironment) => TokenSource

const client = { id: 'my-agent', secret: known.secret }
const subjectToken = (): string => known.subject
const sources: readonly (readonly [string, Make])[] = [
  ['client credentials', (urls, environment) => clientCredentials({ ...urls, client }, environment)],
  [
    'client credentials with a key and a bound token',
    (urls, environment) =>
      clientCredentials({ ...urls, client: { id: 'my-agent', privateKey }, dpop: dpopKey() }, environment),
  ],
  [
    'a refresh token',
    (urls, environment) => refreshToken({ ...urls, client, refreshToken: known.refresh }, environment),
  ],
  [
    'token exchange',
    (urls, environment) => tokenExchange({ ...urls, client, subjectToken, dpop: dpopKey() }, environment),
  ],
  [
    'workload identity',
    (urls, environment) => workloadIdentity({ ...urls, assertion: () => known.assertion }, environment),
  ],
  [
    'enterprise-managed authorization',
    (urls, environment) =>
      enterpriseManaged(
        { ...urls, client, identityProvider: { ...urls, client, subjectToken } },
        environment,
      ),
  ],
]

/** What was signed on the way: assertions and proofs, each of them good for a while. */
let signed: string[] = []
beforeEach(() => {
  signed = []
})

function secrets(): Record<string, string> {
  const made = signed.map((text, index) => [`what was signed ${index}`, text.split('.').slice(1).join('.')])
  return { ...known, ...(Object.fromEntries(made) as Record<string, string>) }
}

/** Takes notice of what is signed, before the server answers. */
function noting(handler: Handler): Handler {
  return (request, response, body) => {
    const { dpop } = request.headers
    const assertion = new URLSearchParams(body).get('client_assertion')
    signed.push(...[dpop, assertion].filter((text) => typeof text === 'string'))
    handler(request, response, body)
  }
}

/** Without it a client would wait, and ask again. */
const later =
  (place: Place): Place =>
  (written) => {
    const reply = place(written)
    return { ...reply, headers: { 'retry-after': '9', ...reply.headers } }
  }

/** What only a token endpoint can say wrong. */
const answers: readonly (readonly [string, Place])[] = [
  ...places,
  ...(
    [
      ['an error of 200', (text) => `{"error":"${text.slice(0, 60)}","error_description":"${text}"}`],
      ['another type', (text) => `{"access_token":"none","token_type":"${text}"}`],
      ['a token that cannot be one', (text) => `{"access_token":" ${text}","token_type":"Bearer"}`],
      ['its life', (text) => `{"access_token":"none","token_type":"Bearer","expires_in":"${text}"}`],
      [
        'another issued type',
        (text) => `{"access_token":"none","token_type":"N_A","issued_token_type":"${text}"}`,
      ],
      ['no JSON', (text) => text],
    ] satisfies [string, Writing][]
  ).map(([place, write]): readonly [string, Place] => [
    `${place} with 200`,
    (written) => ({
      headers: { 'content-type': 'application/json' },
      body: write(JSON.stringify(written).slice(1, -1)),
    }),
  ]),
]

/** Asks twice: what failed once is remembered, and told again. */
async function failures(source: TokenSource, url = 'http://localhost:9/mcp'): Promise<readonly unknown[]> {
  return [await failure(source.token({ url })), await failure(source.token({ url })), source]
}

describe.each(sources)(
  'E-61 %s, refused by an authorization server that repeats the request',
  (_name, make) => {
    it.each(answers)('in %s', async (_place, place) => {
      const mcp = await listen(answer(404))
      // All sources ask one and the same way; the first of them stands for the others.
      for (const [, writing] of make === sources[0]?.[1] ? writings : someWritings) {
        const { origin } = await listen(noting(echo(writing, later(place))))
        const entries: unknown[] = []
        await expectNoLeak(secrets, async () => {
          const source = make(
            { issuer: origin, tokenEndpoint: `${origin}/token` },
            { logger: (entry) => void entries.push(entry) },
          )
          return [...(await failures(source, mcp.url)), entries]
        })
      }
    })

    it.each(writings)('in its metadata, %s', async (_writing, writing) => {
      const mcp = await listen(answer(404))
      for (const [, document] of documents) {
        let heard = ''
        const as = await listen(
          noting((request, response, body) => {
            if (request.method === 'POST') {
              heard = dump(request, body)
              return answer(400, {}, { error: 'invalid_request' })(request, response, body)
            }
            const good = { issuer: as.origin, token_endpoint: `${as.origin}/token` }
            const members = heard === '' ? good : document(as.origin, writing(heard))
            answer(200, {}, members)(request, response, body)
          }),
        )
        const entries: unknown[] = []
        await expectNoLeak(secrets, async () => {
          let now = 1_800_000_000_000
          const clock = () => now
          const logger = (entry: unknown) => void entries.push(entry)
          const source = make({ issuer: as.origin }, { clock, logger })
          const first = await failures(source, mcp.url)
          now += 3_600_000
          return [...first, ...(await failures(source, mcp.url)), entries]
        })
      }
    })
  },
)

/** Metadata of an authorization server that has seen a secret. */
const documents: readonly (readonly [string, (origin: string, written: string) => unknown])[] = [
  [
    'another issuer',
    (origin, written) => ({ issuer: `${origin}/${written}`, token_endpoint: `${origin}/token` }),
  ],
  ['another origin', (_origin, written) => ({ issuer: written, token_endpoint: written })],
  ['an endpoint', (origin, written) => ({ issuer: origin, token_endpoint: `https://10.0.0.1/${written}` })],
  [
    'methods',
    (origin, written) => ({
      issuer: origin,
      token_endpoint: `${origin}/token`,
      token_endpoint_auth_methods_supported: [written],
      grant_types_supported: [written],
      authorization_grant_profiles_supported: [written],
    }),
  ],
]

/** Metadata of an MCP server that has seen a token. */
const resources: readonly (readonly [string, (origin: string, written: string) => unknown])[] = [
  ['another resource', (origin, written) => ({ resource: `${origin}/${written}` })],
  ['a resource elsewhere', (_origin, written) => ({ resource: written })],
  ['other issuers', (origin, written) => ({ resource: `${origin}/mcp`, authorization_servers: [written] })],
  [
    'an issuer with it inside',
    (origin, written) => ({
      resource: `${origin}/mcp`,
      authorization_servers: [`https://x.example/${written}`],
    }),
  ],
  [
    'a host',
    (origin, written) => ({
      resource: `${origin}/mcp`,
      authorization_servers: [`https://${written}.example`],
    }),
  ],
]

describe('E-61 an MCP server that repeats the token in its metadata', () => {
  describe.each(resources)('as %s', (_place, document) => {
    it.each(writings)('%s', async (_writing, writing) => {
      const as = await listen(
        answer(200, {}, { access_token: known.access, token_type: 'Bearer', expires_in: 3600 }),
      )
      let heard = ''
      const mcp = await listen((request, response, body) => {
        const isMetadata = request.url?.startsWith('/.well-known/')
        if (isMetadata && heard !== '') {
          return answer(200, {}, document(mcp.origin, writing(heard)))(request, response, body)
        }
        answer(404)(request, response, body)
      })
      const entries: unknown[] = []
      const environment = { logger: (entry: unknown) => void entries.push(entry) }
      await expectNoLeak(known, async () => {
        const urls = { issuer: as.origin, tokenEndpoint: `${as.origin}/token` }
        const source = clientCredentials({ ...urls, client }, environment)
        const token = await source.token({ url: mcp.url })
        heard = `Bearer ${token}`
        await source.refused?.(token, { scopes: [], resourceMetadata: `https://x.example/${heard}` })
        return [...(await failures(source, mcp.url)), entries]
      })
    })
  })
})

it('a fixture of a key is in its text', () => {
  if (known.key.length < 60 || plainFixture('x') === '') throw new Error('there is nothing to look for')
})
