import type { ApiKey } from '../../../apikeys/api-key.ts'
import type { AuditEvent } from '../../../apikeys/audit-event.ts'
import { type BearerChallenge, readBearerChallenge } from '../../../core/index.ts'
import { NotPassedOn } from '../net/passed-on.ts'
import { sessionSecret } from '../net/session.ts'
import { shown } from '../net/shown.ts'
import { tracedFetch } from '../net/traced-fetch.ts'
import { config, token } from '../state.ts'

/** What the API tells of a thing: JSON has no dates. */
type Told<Thing> = {
  readonly [Name in keyof Thing]: Date extends Thing[Name] ? string : Thing[Name]
}

/** A key as the API tells of it. */
export type KeyFacts = Told<ApiKey>

/** An entry of the audit log as the API tells of it. */
export type AuditFacts = Omit<AuditEvent, 'time'> & { readonly time: string }

/** Why something was not done, for people. */
export interface Problem {
  /** Of HTTP; 0 when no answer came. */
  readonly status: number
  readonly words: string
  /** The member of the body that is wrong, as the API calls it. */
  readonly member?: string | undefined
  readonly challenge?: BearerChallenge | undefined
}

/** What came of a request: a value, or a problem. */
export type Outcome<Value> =
  | { readonly value: Value; readonly problem?: undefined }
  | { readonly problem: Problem; readonly value?: undefined }

/** A request to the API for keys. */
export interface KeysRequest {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the path of the API, with query: `keys?limit=50`. */
  readonly path: string
  readonly body?: object
}

/** Characters of one answer: a page of keys with all the metadata there can be. */
const longestAnswer = 8_000_000

/** Milliseconds until an answer is not waited for any more. */
const patienceMs = 60_000

/** Asks the API for keys; the credential is the token of the page, or what opened it. Never rejects. */
export async function askKeys<Value>({ method, path, body }: KeysRequest): Promise<Outcome<Value>> {
  const { kind, keys = '/admin' } = config.peek()
  try {
    const answer = await tracedFetch({
      purpose: 'keys',
      method,
      path: `${keys}/${path}`,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      token: kind === 'keys' ? sessionSecret() : token.peek() || undefined,
      signal: AbortSignal.timeout(patienceMs),
    })
    const text = await readText(answer)
    if (answer.ok) return { value: JSON.parse(text) as Value }
    return { problem: problemOf(answer, text) }
  } catch (error) {
    const words = error instanceof NotPassedOn ? error.message : noAnswerTo(method, path)
    return { problem: { status: 0, words } }
  }
}

function noAnswerTo(method: string, path: string): string {
  if (method === 'GET') return noAnswer
  return path === 'keys' || path.endsWith('/rotate') ? noAnswerToMaking : noAnswerToChange
}

const noAnswer = 'No answer came, or none that can be read. Is the server still running?'
const noAnswerToChange =
  'No answer came, so nobody knows whether it was done. Look at the key again before you try once more.'
const noAnswerToMaking =
  'No answer came, so nobody knows whether the key was made. If there is a new one among the keys, revoke it: its secret is lost.'

async function readText(answer: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  // Not every browser can go through a stream with `for await`.
  for (const reader = answer.body?.getReader(); reader; ) {
    const { done, value } = await reader.read()
    text += decoder.decode(value, { stream: !done })
    if (done) break
    if (text.length > longestAnswer) {
      await reader.cancel()
      throw new Error('the answer is too long')
    }
  }
  return text
}

function problemOf(answer: Response, text: string): Problem {
  const { status } = answer
  const { description = '', member } = descriptionIn(text)
  const header = answer.headers.get('www-authenticate')
  const challenge = header === null ? undefined : readBearerChallenge(shown(header))
  return { status, words: wordsFor(status, description), member, challenge }
}

function wordsFor(status: number, description: string): string {
  const said = description === '' ? '' : `${description[0]?.toUpperCase()}${description.slice(1)}. `
  switch (status) {
    case 400:
      return said === '' ? 'The server does not understand the request.' : said.trim()
    case 401:
      return 'The server does not let this caller in.'
    case 403:
      return 'The token is good, but does not allow this.'
    case 404:
      return 'There is no such key any more, or there is no API for keys here.'
    case 409:
      return `${said}Nothing was changed.`
    case 429:
      return 'That was too often. Wait a minute and try again.'
    case 503:
      return 'The database of the keys cannot be reached. Nothing was changed. Try again in a moment.'
    default:
      return `The server answered with status ${status}.`
  }
}

/** What the API says is wrong: `create: name must be a text`. Of which member, and the rest in its words. */
function descriptionIn(text: string): { readonly description?: string; readonly member?: string } {
  try {
    const { error_description: said } = JSON.parse(text) as { error_description?: unknown }
    if (typeof said !== 'string') return {}
    const [, member] = /^\w+: (\w+)/.exec(said) ?? []
    const description = shown(said.slice(0, 500)).replace(/^\w+: /, '')
    return { description, ...(member !== undefined && { member }) }
  } catch {
    return {}
  }
}
