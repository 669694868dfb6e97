import type { ApiKeysOptions } from '../../apikeys/api-keys.ts'
import type { Actor } from '../../apikeys/audit-event.ts'
import {
  AccessToken,
  type Clock,
  type Logger,
  stderrLogger,
  systemClock,
  throttled,
  unfailing,
} from '../../core/index.ts'
import { actsAs } from '../../http/admin/caller.ts'
import { type KeysAdmin, keysAdmin } from '../../http/admin/keys-admin.ts'
import type { PlainAnswer } from '../../http/refusal.ts'
import { readNodeBytes } from '../../server/body.ts'
import { sendResponse } from '../../server/node-response.ts'
import { tooManyTries } from './bridge.ts'
import { notFound, problemAnswer, shieldHeaders } from './local-answer.ts'
import { type LocalSite, type LocalVisit, localSite, type Patience } from './local-site.ts'
import { type SessionLock, sessionLock } from './session-lock.ts'

/** What a {@link keysSite} shows. */
export interface KeysSiteOptions {
  /** What the keys are made and read with. The store stays yours to close. */
  readonly keys: ApiKeysOptions
  /** What the page calls the database. No password. */
  readonly name: string
  /** Who does what is done on the page, for the audit log. */
  readonly actor: Actor
  /** 0 for any free one. Default: 0. */
  readonly port?: number | undefined
  /** Default: standard error. */
  readonly logger?: Logger | undefined
  /** Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** What the URLs of the API for keys begin with. */
const path = '/admin'
/** The API takes 1 MiB, and says so itself. */
const limits = { maxBytes: 1_100_000, timeoutMs: 30_000 }

/**
 * Serves the page for API keys on this machine. The secret of its session is at the same time the token for the API: no key
 * of the database is needed to make the first one.
 *
 * @throws TypeError naming the option that is wrong; Error with the code of the system when the port cannot be listened on
 */
export async function keysSite(options: KeysSiteOptions, patience?: Patience): Promise<LocalSite> {
  const { keys, name, actor, port, logger = stderrLogger, clock = systemClock } = options
  const log = throttled(unfailing(logger), clock)
  const lock = sessionLock(() => log(tooManyTries))
  const admin = keysAdmin({ ...keys, path, auth: sessionVerifier(lock, actor), logger, clock })
  const answer = async (visit: LocalVisit) =>
    visit.path.startsWith(`${path}/`) ? answered(admin, visit) : notFound
  return localSite(
    { port, page: '/inspector/keys', config: { kind: 'keys', name, keys: path }, lock, answer, logger: log },
    patience,
  )
}

/** Takes the secret of the session, and nothing else. */
function sessionVerifier(lock: SessionLock, actor: Actor) {
  return {
    async verifyToken(token: string) {
      if (!lock.admits(token)) return null
      return actsAs(new AccessToken({ token, clientId: 'keys-ui', scopes: ['keys:admin'] }), actor)
    },
  }
}

async function answered(admin: KeysAdmin, visit: LocalVisit): Promise<PlainAnswer | undefined> {
  const { req, res, query, invite } = visit
  const { method = 'GET' } = req
  // What `fetch` knows no request for.
  if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method)) return notFound
  const bytes = await readNodeBytes(req, limits, invite)
  if (bytes === 'gone') return undefined
  if (typeof bytes === 'string')
    return problemAnswer(413, 'too_large', 'The request is too long, or comes too slowly.')
  const { authorization } = req.headers
  const headers = authorization === undefined ? {} : { authorization }
  const isBare = bytes.length === 0 || method === 'GET' || method === 'HEAD'
  const body = isBare ? {} : { body: new Blob([...bytes] as Uint8Array<ArrayBuffer>[]) }
  // The path is one of a table, or none: what a URL makes of it does not matter.
  const request = new Request(new URL(`http://127.0.0.1${visit.path}${query}`), { method, headers, ...body })
  await sendResponse(await admin.fetch(request), res, shieldHeaders)
  return undefined
}
