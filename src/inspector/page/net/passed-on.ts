/** With it a program on this machine says that it answered itself: the server was not asked, or did not answer. */
export const problemHeader = 'x-inspector-problem'
/** With it a bridge says what the server answered where a browser would keep the answer from the page: redirects, and 407. */
const statusHeader = 'x-inspector-status'

/** There is no answer of the server; the message says why, for people. */
export class NotPassedOn extends Error {
  override readonly name = 'NotPassedOn'
}

/** The status the server answered with. */
export function statusOf({ status, headers }: Response): number {
  const told = Number(headers.get(statusHeader))
  return Number.isInteger(told) && told >= 200 && told <= 599 ? told : status
}

/** Why a program on this machine did not do what the page wanted, in its own sentence. */
export async function problemIn(answer: Response): Promise<string> {
  if (answer.headers.get(problemHeader) === 'session') {
    return 'This page was let out: a newer address was opened. Open the newest address that the program printed.'
  }
  const told: unknown = await answer.json().catch(() => undefined)
  const problem = typeof told === 'object' && told !== null && 'problem' in told ? told.problem : undefined
  return typeof problem === 'string' ? problem : 'The program that serves this page could not do it.'
}
