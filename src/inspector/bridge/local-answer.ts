import type { ServerResponse } from 'node:http'
import { sendRefusal } from '../../http/node-request.ts'
import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'

/**
 * Why a program on this machine did not do what the page wanted. The word stands in the header `x-inspector-problem`, which
 * tells the page that it was not the server it looks at who answered.
 */
export type ProblemWord =
  | 'forbidden'
  | 'session'
  | 'not_found'
  | 'request'
  | 'too_large'
  | 'busy'
  | 'insecure'
  | 'unreachable'
  | 'failed'

/** The answer to a request that was not done. */
export function problemAnswer(status: number, word: ProblemWord, problem: string): PlainAnswer {
  return jsonAnswer(status, { problem }, { 'x-inspector-problem': word })
}

/** The answer to everything that is not. */
export const notFound = problemAnswer(404, 'not_found', 'There is no such thing here.')

/**
 * What every answer carries that is no file of the page. None of them is a document: whoever is brought to open one as a
 * page sees nothing run, and no cache keeps it (Content Security Policy Level 3, "sandbox").
 */
export const shieldHeaders: Readonly<Record<string, string>> = Object.freeze({
  'cache-control': 'no-store',
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff',
  'content-disposition': 'attachment',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
})

/** Writes an answer of the program's own; breaks off when another one is half out. */
export function sendLocal(res: ServerResponse, answer: PlainAnswer): void {
  sendRefusal(res, answer, shieldHeaders)
}
