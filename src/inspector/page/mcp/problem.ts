import type { BearerChallenge } from '../../../core/challenge.ts'
import { NotPassedOn } from '../net/passed-on.ts'

/** Why a request came to nothing. */
export type Problem =
  | {
      /** The credential: 401, 403, or 400 with a challenge. */
      readonly kind: 'refused'
      readonly status: number
      readonly challenge: BearerChallenge | undefined
      /** What the server wrote beside it. */
      readonly body: string
    }
  | {
      /** The server understood, and says no. */
      readonly kind: 'rpc'
      readonly code: number
      readonly message: string
      readonly data?: unknown
    }
  | {
      readonly kind: 'http'
      /** 0: it sends the client elsewhere, which a page is not told. */
      readonly status: number
      readonly body: string
      /** As the header says it. */
      readonly retryAfter?: string
    }
  /** An answer that is none of MCP. */
  | { readonly kind: 'broken'; readonly what: string }
  /** Nobody answered. Programs between the page and the server may say why. */
  | { readonly kind: 'unreachable'; readonly what?: string }
  | { readonly kind: 'cancelled' }

/** A request of the page that came to nothing. */
export class Failed extends Error {
  override readonly name = 'Failed'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.kind)
    this.problem = problem
  }
}

/** What anything thrown means for the person. `fetch` throws a `TypeError` when nobody answers. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Failed) return error.problem
  if (error instanceof Error && error.name === 'AbortError') return { kind: 'cancelled' }
  if (error instanceof NotPassedOn) return { kind: 'unreachable', what: error.message }
  if (error instanceof TypeError) return { kind: 'unreachable' }
  return { kind: 'broken', what: 'The answer cannot be read.' }
}

/** Whether the server wants scopes the token does not have, and which. */
export function missingScopes(problem: Problem): readonly string[] | undefined {
  if (problem.kind !== 'refused' || problem.challenge?.error !== 'insufficient_scope') return undefined
  return problem.challenge.scopes
}

/** A problem in words. */
export interface ProblemWords {
  readonly title: string
  /** What to do next. */
  readonly advice: string
  /** What the server itself said. */
  readonly said: string
}

export function problemWords(problem: Problem): ProblemWords {
  switch (problem.kind) {
    case 'refused':
      return refusedWords(problem)
    case 'rpc':
      return {
        title: `The server answered with error ${problem.code}`,
        advice: rpcAdvice(problem.code),
        said: problem.message,
      }
    case 'http':
      return httpWords(problem)
    case 'broken':
      return {
        title: 'The answer is not MCP',
        advice: 'Is the address that of an MCP server? The HTTP log below shows what came.',
        said: problem.what,
      }
    case 'unreachable':
      return {
        title: 'The server did not answer',
        advice: 'Is it still running? Start it, and try again.',
        said: problem.what ?? '',
      }
    case 'cancelled':
      return { title: 'Cancelled', advice: 'The server may have done part of it.', said: '' }
  }
}

function refusedWords({ status, challenge, body }: Problem & { kind: 'refused' }): ProblemWords {
  const said = challenge?.errorDescription ?? body
  if (challenge?.error === 'insufficient_scope') {
    const { scopes } = challenge
    const advice =
      scopes.length > 0
        ? `Use a token that has ${wordsOf(scopes)}.`
        : 'The server does not say which. Ask who runs it.'
    return { title: 'The token lacks a scope', advice, said }
  }
  if (status === 403)
    return {
      title: 'The server does not allow this (403)',
      advice: 'Another token may be allowed. If none is, the server may refuse this page.',
      said,
    }
  if (challenge?.error === 'invalid_token')
    return {
      title: 'The server does not accept the token (401)',
      advice: 'It may be expired, or made for another server. Put a new one into the token box.',
      said,
    }
  if (status === 400)
    return {
      title: 'The server cannot read the credential (400)',
      advice: 'Two may have been sent at once. The HTTP log below shows what went out.',
      said,
    }
  return { title: 'The server wants a token (401)', advice: 'Put one into the token box.', said }
}

function rpcAdvice(code: number): string {
  if (code === -32601) return 'The server does not have this method.'
  if (code === -32602) return 'Something in the input does not fit, or what you asked for is not there.'
  if (code === -32603) return 'Something broke inside the server. Its log says more.'
  if (code === -32022) return 'It speaks other revisions of MCP than this page.'
  if (code === -32700 || code === -32600) return 'The server could not read the request.'
  return 'The text of the server says what is wrong.'
}

function httpWords({ status, body, retryAfter }: Problem & { kind: 'http' }): ProblemWords {
  const title =
    status === 0 ? 'The server sends the page elsewhere' : `The server answered with HTTP ${status}`
  return { title, advice: httpAdvice(status, retryAfter), said: body }
}

function httpAdvice(status: number, retryAfter: string | undefined): string {
  const when =
    retryAfter === undefined
      ? 'in a moment'
      : `after ${retryAfter}${/^\d+$/.test(retryAfter) ? ' seconds' : ''}`
  if (status < 400) return 'A token is never sent to another address. Use the address of the server itself.'
  if (status === 429) return `It had too many requests. Try again ${when}.`
  if (status === 503) return `It cannot work right now. Try again ${when}.`
  if (status >= 500) return 'Something broke inside the server. Its log says more.'
  if (status === 404 || status === 405) return 'Is the address that of an MCP server?'
  return 'The HTTP log below shows what came.'
}

function wordsOf(scopes: readonly string[]): string {
  return scopes.length === 1 ? `the scope ${scopes[0]}` : `the scopes ${scopes.join(', ')}`
}
