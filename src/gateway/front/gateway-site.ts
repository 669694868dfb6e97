import type { IncomingMessage, ServerResponse } from 'node:http'
import { stopwatch } from '../../core/clock.ts'
import type { Clock } from '../../core/index.ts'
import type { RequestHead } from '../../http/head.ts'
import { headOf, hideCredentials, sendRefusal } from '../../http/node-request.ts'
import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import { type BodyLimits, readNodeText } from '../../server/body.ts'
import type { Door } from '../../server/door.ts'
import { nodeIncoming } from '../../server/incoming.ts'
import { type ListenAddress, pathOf, type Site } from '../../server/listen.ts'
import { closeWithConnection } from '../../server/pipelined.ts'
import { sendReply } from '../../server/send-reply.ts'
import type { RequestSink } from '../request-entry.ts'
import { Account } from './crossing.ts'
import type { Front } from './front.ts'
import type { IdentityAssertion } from './identity.ts'

/** What a site of a gateway is made of. */
export interface GatewaySiteParts {
  readonly front: Front
  readonly limits: BodyLimits
  readonly identity: IdentityAssertion | undefined
  readonly onRequest: RequestSink | undefined
  readonly clock: Clock
}

const health: PlainAnswer = jsonAnswer(200, { status: 'ok' })
const notFound: PlainAnswer = jsonAnswer(404, { error: 'not_found' })

/**
 * What a gateway serves where it listens: the endpoint on its path; without a token that it lives, where tokens for it
 * come from (RFC 9728), and the key it signs identities with; and 404.
 */
export function gatewaySite(parts: GatewaySiteParts, door: Door, address: ListenAddress): Site {
  const { limits, identity } = parts
  const hidden = new Set(door.gate?.credentialHeaders ?? [])
  const keySet = identity && keySetAnswer(identity)
  return {
    bodyTimeoutMs: limits.timeoutMs,
    answer(req, res, awaitsInvitation) {
      // Nearly every request is for it, and spells it so.
      const path = req.url === address.path ? address.path : pathOf(req.url)
      if (path !== address.path) return void answerElsewhere(req, res, door, path, keySet)
      const invite = awaitsInvitation ? () => res.writeContinue() : undefined
      serve(req, res, invite).catch(() => res.destroy())
    },
  }

  async function serve(
    req: IncomingMessage,
    res: ServerResponse,
    invite: (() => void) | undefined,
  ): Promise<void> {
    closeWithConnection(req, res)
    // Who calls is said by the gateway, and by nobody else.
    if (identity) hideCredentials(req, [identity.header])
    const head = headOf(req, res)
    const preflight = door.origins.preflight(head)
    if (preflight) return void res.writeHead(204, preflight).end()
    const account = new Account(head.method, parts.clock(), stopwatch())
    if (parts.onRequest) res.once('close', () => writeDown(account, res, parts.onRequest))
    const incoming = nodeIncoming(req, res, head, hidden)
    const body = () => readNodeText(req, limits, invite)
    const hasLeft = () => res.destroyed
    const reply = await parts.front.answer({ incoming, body, hasLeft }, door, account)
    await sendReply(res, reply, door.origins.corsHeaders(head))
  }
}

/** Once, when the answer is out, or the caller has left. */
function writeDown(account: Account, res: ServerResponse, sink: RequestSink | undefined): void {
  // Of an answer that never began there is no status.
  if (!res.headersSent) account.outcome = 'left'
  try {
    sink?.(account.entry(res.headersSent ? res.statusCode : 0, stopwatch()))
  } catch {
    // Whoever counts must not stop what is counted.
  }
}

function answerElsewhere(
  req: IncomingMessage,
  res: ServerResponse,
  door: Door,
  path: string,
  keySet: PlainAnswer | undefined,
): void {
  const head = headOf(req, res)
  const document = documentAt(path, head, door, keySet)
  const cors = document ? undefined : door.origins.corsHeaders(head)
  sendRefusal(res, document ?? notFound, cors)
}

/** Any page may read a document, and no token is looked at. */
function documentAt(
  path: string,
  head: RequestHead,
  { metadata, isHostAllowed, refuse }: Door,
  keySet: PlainAnswer | undefined,
): PlainAnswer | undefined {
  if (path === '/health' && isRead(head)) return health
  const isKeySet = path === '/.well-known/jwks.json' && isRead(head)
  const document = isKeySet ? keySet : metadata?.answer(head.method, head.url)
  return document && !isHostAllowed(head) ? refuse('forbidden_origin') : document
}

function isRead({ method }: RequestHead): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Public by nature, and long enough known to survive a restart of whoever fetches it. */
function keySetAnswer(identity: IdentityAssertion): PlainAnswer {
  return jsonAnswer(200, identity.jwks(), {
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
  })
}
