import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, answerMessage, json } from './mcp-core.ts'
import { isGood, issuer, mint } from './tokens.ts'

/** A request as it arrived. */
export interface Asked {
  readonly method: string
  /** As it stands on the request line. */
  readonly target: string
  /** Every line of a header. */
  lines(name: string): readonly string[]
  readonly body: string
  /** What the server is known as: `http://127.0.0.1:PORT`, or a name of its own. */
  readonly origin: string
}

/** Why a request is refused. */
export type Refusal = 'none' | 'bad' | 'two'

/** The parts of a server, each of which can be broken alone. */
export interface Parts {
  /** What answers: by the request target, nothing normalised. */
  route(asked: Asked): 'mcp' | 'metadata' | undefined
  isHostGood(host: string, asked: Asked): boolean
  isOriginGood(origin: string, asked: Asked): boolean
  /** The answer to OPTIONS. */
  preflight(asked: Asked): Answer
  /** Whether the request must bring a token. */
  isGuarded(asked: Asked): boolean
  /** The tokens it brings. */
  tokens(asked: Asked): readonly string[]
  /** Whether several tokens are refused, or one of them is looked at. */
  pick(tokens: readonly string[]): string | undefined
  admits(token: string, asked: Asked): boolean
  refuse(why: Refusal, asked: Asked, token: string): Answer
  metadata(asked: Asked): Answer
  /** Added to every answer. */
  always(asked: Asked): NonNullable<Answer['headers']>
  /** The answer of the protocol. */
  serve(asked: Asked): Answer
  /** Looked at before the token; an answer ends it. */
  early(asked: Asked): Answer | undefined
  /** Reads the body before it looks at anything. */
  readsFirst: boolean
  /** What comes after the token. */
  methods: readonly string[]
}

/** Where the servers listen. */
export const endpoint = '/mcp'

/** A server without a defect. */
export const sound: Parts = {
  route({ target }) {
    const [path] = target.split('?')
    if (path === endpoint) return 'mcp'
    return path === `/.well-known/oauth-protected-resource${endpoint}` ? 'metadata' : undefined
  },
  isHostGood: (host, { origin }) =>
    [new URL(origin).host, `localhost:${new URL(origin).port}`].includes(host),
  isOriginGood: (given, { origin }) => given === origin,
  preflight: () => ({ status: 204, headers: { allow: 'POST, OPTIONS' } }),
  isGuarded: () => true,
  tokens: (asked) => tokensOf(asked),
  pick: (tokens) => (tokens.length === 1 ? tokens[0] : undefined),
  admits: (token) => isGood(token),
  refuse: (why, asked) => refusal(why, asked),
  metadata: ({ origin }) =>
    json(200, {
      resource: `${origin}${endpoint}`,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
    }),
  // RFC 6797 section 7.1
  always: ({ origin }) =>
    origin.startsWith('https:') ? { 'strict-transport-security': 'max-age=31536000' } : {},
  serve: ({ body }) => answerMessage(body),
  early: () => undefined,
  readsFirst: false,
  methods: ['POST'],
}

/** The token of a header line (RFC 6750 section 2.1; RFC 9110 section 11.1: the scheme in any case). */
export function bearer(line: string): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(line.trim())?.[1]
}

/**
 * The tokens a request brings. In the address one counts only beside the header: two at once are refused (RFC 6750
 * section 3.1), alone it is none.
 * @param read the token of a header line
 */
export function tokensOf(asked: Asked, read: (line: string) => string | undefined = bearer): string[] {
  const lines = asked.lines('authorization')
  if (lines.length > 1) return lines.map((line) => read(line) ?? '')
  const token = read(lines[0] ?? '')
  return token === undefined ? [] : [token, ...inQuery(asked)]
}

/** The token of an address (RFC 6750 section 2.3). */
export function inQuery({ target, origin }: Asked): string[] {
  const token = URL.canParse(target, origin) ? new URL(target, origin).searchParams.get('access_token') : null
  return token === null ? [] : [token]
}

/** The refusals of RFC 6750 section 3. */
export function refusal(why: Refusal, { origin }: Asked, parameters = ''): Answer {
  const where = `resource_metadata="${origin}/.well-known/oauth-protected-resource${endpoint}"`
  const error = { none: '', bad: ', error="invalid_token"', two: ', error="invalid_request"' }[why]
  const word = { none: 'unauthorized', bad: 'invalid_token', two: 'invalid_request' }[why]
  const challenge = `Bearer realm="weak", ${where}${error}${parameters}`
  return json(
    why === 'two' ? 400 : 401,
    { error: word },
    { 'www-authenticate': challenge, 'cache-control': 'no-store' },
  )
}

/** A running server. */
export interface WeakServer {
  readonly url: string
  /** Where it listens. */
  readonly address: string
  /** A token it takes. */
  readonly token: string
  close(): Promise<void>
}

/**
 * Starts a server with the given parts broken.
 * @param knownAs an origin that it believes to be reached by
 */
export async function weakServer(
  broken: Partial<Parts> = {},
  token = mint(),
  knownAs?: string,
): Promise<WeakServer> {
  const parts = { ...sound, ...broken }
  const server = createServer((request, response) => void respond(parts, request, response, knownAs))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `${knownAs ?? address}${endpoint}`,
    address,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  knownAs: string | undefined,
): Promise<void> {
  const about = {
    method: request.method ?? '',
    target: request.url ?? '',
    lines: (name: string) => linesOf(request, name),
    origin: knownAs ?? `http://127.0.0.1:${request.socket.localPort}`,
  }
  let body = parts.readsFirst ? await bodyOf(request) : ''
  let answer = doorAnswer(parts, { ...about, body })
  if (answer === undefined) {
    if (!parts.readsFirst) body = await bodyOf(request)
    answer = parts.serve({ ...about, body })
  }
  const all = Object.entries({ ...answer.headers, ...parts.always({ ...about, body }) })
  for (const [name, value] of all) response.setHeader(name, value as string | string[])
  response.writeHead(answer.status).end(answer.body)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  try {
    for await (const chunk of request) body += chunk
  } catch {
    // The caller has gone.
  }
  return body
}

/** What is answered without a look at the message. */
function doorAnswer(parts: Parts, asked: Asked): Answer | undefined {
  const [host = ''] = asked.lines('host')
  if (!parts.isHostGood(host, asked)) return forbidden
  if (!asked.lines('origin').every((origin) => parts.isOriginGood(origin, asked))) return forbidden
  const route = parts.route(asked)
  if (route === undefined) return json(404, { error: 'not_found' })
  if (route === 'metadata') return parts.metadata(asked)
  if (asked.method === 'OPTIONS') return parts.preflight(asked)
  const early = parts.early(asked)
  if (early !== undefined) return early
  const refused = refusedBy(parts, asked)
  if (refused !== undefined) return refused
  if (parts.methods.includes(asked.method)) return undefined
  return json(405, { error: 'method_not_allowed' }, { allow: parts.methods.join(', ') })
}

const forbidden = json(403, { error: 'forbidden_origin' })

function refusedBy(parts: Parts, asked: Asked): Answer | undefined {
  if (!parts.isGuarded(asked)) return undefined
  const tokens = parts.tokens(asked)
  if (tokens.length === 0) return parts.refuse('none', asked, '')
  const token = parts.pick(tokens)
  if (token === undefined) return parts.refuse('two', asked, tokens[0] ?? '')
  return parts.admits(token, asked) ? undefined : parts.refuse('bad', asked, token)
}

function linesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.flatMap((word, at) =>
    at % 2 === 0 && word.toLowerCase() === name ? (rawHeaders[at + 1] ?? '') : [],
  )
}
