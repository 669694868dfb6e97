import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Logger, redact } from '../../core/index.ts'
import type { RequestHead } from '../../http/head.ts'
import { headOf } from '../../http/node-request.ts'
import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import { readNodeBody } from '../../server/body.ts'
import { listenAddress, listenOn } from '../../server/listen.ts'
import type { InspectorConfig } from '../../server/pages/inspector-config.ts'
import { inspectorPage } from '../../server/pages/inspector-page.ts'
import { sessionHeader } from '../session-header.ts'
import { isOwnRequest } from './local-admission.ts'
import { problemAnswer, sendLocal } from './local-answer.ts'
import type { SessionLock } from './session-lock.ts'

/** What a program on this machine shows in the browser. */
export interface LocalSiteOptions {
  /** 0 for any free one. Default: 0. */
  readonly port?: number | undefined
  /** The document that the address opens. */
  readonly page: '/inspector' | '/inspector/keys'
  readonly config: InspectorConfig
  readonly lock: SessionLock
  /**
   * Answers what is no file of the page. Asked only for the page that was let in.
   * @returns what to answer; `undefined` when it has been, or nobody is there any more
   */
  readonly answer: (visit: LocalVisit) => Promise<PlainAnswer | undefined>
  readonly logger: Logger
}

/** A request of the page. */
export interface LocalVisit {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** As it stands on the request line: never decoded, never normalised. */
  readonly path: string
  /** With its `?`; empty when there is none. */
  readonly query: string
  /** To be called before the body is read: whoever waits for it then sends it (RFC 9110 section 10.1.1). */
  invite(): void
}

/** A site for one page, on this machine. */
export interface LocalSite {
  /** The address to open, with a key that lets one page in. */
  readonly url: string
  /** Without path and key. */
  readonly origin: string
  /** Makes another address, for a page that was lost. The address before is void; its page is let out when this one is opened. */
  renew(): string
  /** Ends everything that is under way. */
  close(): Promise<void>
}

/** How long slow callers are waited for; see `listenOn`. */
export interface Patience {
  readonly headMs: number
  readonly everyMs: number
}

/** Requests at a time, streams counted: one page has few. */
const mostRequests = 100
const mostConnections = 200
/** Of a request to be let in. */
const openLimits = { maxBytes: 4096, timeoutMs: 10_000 }
/** Milliseconds the body of any request may take. */
const bodyTimeoutMs = 60_000

/**
 * Serves a page to the browser of this machine, and to nobody else: it listens on the loopback address only, takes no
 * request that another site may have sent, and does nothing for a page without the key of the printed address
 * (CVE-2025-49596 is what happens otherwise).
 *
 * @throws TypeError when the port is none; Error with the code of the system when it cannot be listened on
 */
export async function localSite(options: LocalSiteOptions, patience?: Patience): Promise<LocalSite> {
  const { port = 0, page, lock } = options
  const address = listenAddress({ host: '127.0.0.1', port })
  const live = new Set<ServerResponse>()
  const files = await filesFor(page)
  const siteFor = (bound: number) => {
    const hosts = new Set(['127.0.0.1', 'localhost'].map((name) => new URL(`http://${name}:${bound}`).host))
    const door: Door = { ...options, files, hosts }
    const answer = (req: IncomingMessage, res: ServerResponse, awaitsInvitation = false) => {
      live.add(res)
      res.once('close', () => live.delete(res))
      // Without a listener, a caller who breaks off in mid-body would end the process.
      req.on('error', () => {})
      if (live.size > mostRequests) return sendLocal(res, busy)
      void answered(door, {
        req,
        res,
        ...targetOf(req),
        invite: () => awaitsInvitation && res.writeContinue(),
      })
    }
    return { answer, bodyTimeoutMs }
  }
  const listening = await listenOn(address, siteFor, mostConnections, patience)
  const { origin } = new URL(listening.url)
  const renew = () => `${origin}${page}#key=${lock.newKey()}`
  return {
    url: renew(),
    origin,
    renew,
    close() {
      const closed = listening.close()
      for (const res of live) res.destroy()
      return closed
    },
  }
}

interface Door extends LocalSiteOptions {
  readonly files: ReadonlyMap<string, PlainAnswer>
  readonly hosts: ReadonlySet<string>
}

/** The document, its script and its style; its usual other names lead to it. */
async function filesFor(page: string): Promise<ReadonlyMap<string, PlainAnswer>> {
  const files = new Map((await inspectorPage()).map(({ path, answer }) => [path, answer]))
  const found = { status: 302, headers: { location: page, 'cache-control': 'no-store' }, body: '' }
  for (const path of ['/', '/inspector', '/inspector/', '/inspector/keys']) {
    if (path !== page) files.set(path, found)
  }
  return files
}

function targetOf({ url = '' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?')
  return at === -1 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at) }
}

/** Answers, whatever happens. */
async function answered(door: Door, visit: LocalVisit): Promise<void> {
  try {
    const answer = await answerTo(door, visit)
    if (answer !== undefined) sendLocal(visit.res, answer)
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException
    door.logger({
      level: 'error',
      event: 'inspector_failed',
      message: 'A request of the page could not be answered.',
      details: { error: redact(code ?? name ?? typeof error) },
    })
    sendLocal(visit.res, problemAnswer(500, 'failed', 'This program failed; what it printed says why.'))
  }
}

/** @returns `undefined` when it has been answered */
async function answerTo(door: Door, visit: LocalVisit): Promise<PlainAnswer | undefined> {
  const { req, res, path } = visit
  const head = headOf(req)
  const file = req.method === 'GET' || req.method === 'HEAD' ? door.files.get(path) : undefined
  const isDocument = file !== undefined && !/\.(?:js|css)$/.test(path)
  if (!isOwnRequest(head, door.hosts, isDocument ? 'document' : 'other')) return forbidden
  if (file !== undefined) return void sendFile(res, file)
  if (path === '/inspector/open' && req.method === 'POST') return opened(door, visit)
  if (!hasSession(head, door.lock)) return shutOut
  if (path === '/inspector/config.json' && req.method === 'GET') return jsonAnswer(200, door.config)
  return door.answer(visit)
}

/** As it is: it has the protection of a page, and its own rule for caches. */
function sendFile(res: ServerResponse, { status, headers, body }: PlainAnswer): void {
  res.writeHead(status, headers).end(res.req.method === 'HEAD' ? undefined : body)
}

/** Trades the key for a session. Why it was not done is the same for a wrong key and for one that was used. */
async function opened({ lock }: Door, { req, invite }: LocalVisit): Promise<PlainAnswer> {
  const body = await readNodeBody(req, openLimits, invite)
  const key = body.ok ? (body.value as { readonly key?: unknown } | null)?.key : undefined
  const session = lock.open(key)
  return session === undefined ? shutOut : jsonAnswer(200, { session })
}

function hasSession(head: RequestHead, lock: SessionLock): boolean {
  const [secret, second] = head.header(sessionHeader)
  return second === undefined && lock.admits(secret)
}

const busy = problemAnswer(503, 'busy', 'Too many requests are under way.')
const forbidden = problemAnswer(
  403,
  'forbidden',
  'Only the page itself may ask, under the address that this program printed.',
)
const shutOut = problemAnswer(
  403,
  'session',
  'This page was opened without its key, or with one that was used already. Open the address that the program printed; press Enter there for a new one.',
)
