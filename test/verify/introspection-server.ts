import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { AuthError, type AuthEvent, type CompleteTokenVerifier, type LogEntry } from 'mcp-bearer'
import {
  clientSecretBasic,
  type IntrospectionVerifierOptions,
  introspectionVerifier,
  type TokenRefusal,
  type VerifierEnvironment,
} from 'mcp-bearer/verify'
import { onTestFinished } from 'vitest'
import { audience, now } from './forge.ts'

/** What arrived at the endpoint. */
export interface Question {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  /** As it was written. */
  readonly body: string
  /** The value of `token`, as a form is read. */
  readonly token: string | null
}

export type Answer = (question: Question, response: ServerResponse) => void

/** A real introspection endpoint (RFC 7662) whose answer can be changed. Closed when the test is over. */
export interface IntrospectionServer {
  readonly url: string
  readonly origin: string
  readonly questions: Question[]
  answer: Answer
}

export async function introspectionServer(answer: Answer): Promise<IntrospectionServer> {
  const questions: Question[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const { method, url: path, headers } = request
    const question = { method, path, headers, body, token: new URLSearchParams(body).get('token') }
    questions.push(question)
    running.answer(question, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const running: IntrospectionServer = { url: `${origin}/introspect`, origin, questions, answer }
  return running
}

/** An answer about a good token: I01 of the requirements. */
export const good = {
  active: true,
  aud: audience,
  scope: 'mcp:read',
  sub: 'user-1',
  client_id: 'app-1',
  exp: now + 300,
} as const

/** Answers 200 with JSON, or with the text or the bytes as they are. */
export function says(body: unknown, headers: Record<string, string> = {}): Answer {
  return (_question, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body))
  }
}

/** Answers with another status, and a body that nobody should repeat. */
export function fails(status: number, headers: Record<string, string> = {}): Answer {
  return (_question, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ error: 'invalid_client', error_description: 'stack trace of 10.0.0.5' }))
  }
}

export const hangs: Answer = () => {}

/** Answers about tokens that are known; about all others that they are not active. */
export function knows(answers: Readonly<Record<string, Answer>>): Answer {
  return (question, response) =>
    (answers[question.token ?? ''] ?? says({ active: false }))(question, response)
}

/** What `client` proves itself with where it does not matter. Nothing of it must ever show. */
export const secret = 'correct-horse-battery'
export const client = clientSecretBasic('mcp-server', secret)

/** A verifier with a clock that only moves by hand, and all that it told anybody. */
export function introspecting(
  endpoint: string,
  options: Partial<IntrospectionVerifierOptions> = {},
  environment: VerifierEnvironment = {},
) {
  let time = now * 1000
  const logged: LogEntry[] = []
  const refusals: TokenRefusal[] = []
  const events: AuthEvent[] = []
  const verifier = introspectionVerifier(
    { endpoint, client, audience, ...options },
    {
      clock: () => time,
      logger: (entry) => logged.push(entry),
      onRefused: (refusal) => refusals.push(refusal),
      onEvent: (event) => events.push(event),
      ...environment,
    },
  )
  onTestFinished(() => verifier.close?.())
  return {
    verifier,
    logged,
    refusals,
    events,
    clock: () => time,
    pass(seconds: number) {
      time += seconds * 1000
    },
    verify: (token: string) => verdictOf(verifier, token),
    /** Why a token is refused, or its verdict. */
    async reason(token: string) {
      const verdict = await verdictOf(verifier, token)
      return verdict === 401 ? refusals.at(-1)?.reason : verdict
    },
  }
}

/** Tokens that are all different, so that none is remembered. */
export function tokens(name: string): () => string {
  let count = 0
  return () => `${name}-${++count}`
}

/** What the server would answer: 200, 401, 403, or 503. */
export async function verdictOf(verifier: CompleteTokenVerifier, token: string): Promise<number> {
  try {
    return (await verifier.verifyToken(token)) === null ? 401 : 200
  } catch (error) {
    if (error instanceof AuthError && error.code === 'verifier_unavailable') return 503
    if (error instanceof AuthError && error.code === 'insufficient_scope') return 403
    throw error
  }
}

/** The error a verification ends with. */
export async function faultOf(verifier: CompleteTokenVerifier, token: string): Promise<AuthError> {
  const error: unknown = await verifier.verifyToken(token).catch((thrown: unknown) => thrown)
  if (error instanceof AuthError) return error
  throw new Error('there is no AuthError')
}
