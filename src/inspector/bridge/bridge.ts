import { type Clock, type Logger, stderrLogger, systemClock, throttled, unfailing } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import type { PlainAnswer } from '../../http/refusal.ts'
import { nodeSender } from '../senders/node-sender.ts'
import { notFound } from './local-answer.ts'
import { type LocalSite, type LocalVisit, localSite, type Patience } from './local-site.ts'
import { passThrough } from './pass-through.ts'
import { sendRaw } from './send-raw.ts'
import { sessionLock } from './session-lock.ts'
import { targetAt } from './target.ts'

/** What an {@link inspectorBridge} shows. */
export interface InspectorBridgeOptions {
  /** The MCP endpoint; http or https, without user name and password. */
  readonly target: string | URL
  /** 0 for any free one. Default: 0. */
  readonly port?: number | undefined
  /** Sent with every request to the server. Not `Authorization`: the token is typed into the page. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** DANGER: sends credentials over plain http to other machines; whoever is on the way can use them. Default: false. */
  readonly allowInsecure?: boolean | undefined
  /** Default: standard error. */
  readonly logger?: Logger | undefined
  /** Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** A page on this machine, and the way from it to one server. */
export type InspectorBridge = LocalSite

const known = [
  'target',
  'port',
  'headers',
  'allowInsecure',
  'logger',
  'clock',
] as const satisfies readonly (keyof InspectorBridgeOptions)[]

/**
 * Serves the inspector page on this machine, for any MCP server. A page can send requests to its own origin only, so this
 * passes them on, to that server and nowhere else: no open proxy, whatever is asked of it. Only the page that was opened
 * with the printed address may ask; see {@link LocalSite}.
 *
 * - `/target` and the path of the endpoint: as it is, both ways. Cookies and what a browser would obey are left out.
 * - `/target/.well-known/oauth-protected-resource…`: its metadata (RFC 9728).
 * - `/inspector/send`: one request as the page describes it, for the probe; to any path of the server's origin.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong; Error with the code of the system when the port
 *   cannot be listened on
 */
export async function inspectorBridge(
  options: InspectorBridgeOptions,
  patience?: Patience,
): Promise<InspectorBridge> {
  checkOptions('inspectorBridge', options, known)
  const { allowInsecure = false, logger = stderrLogger, clock = systemClock, port } = options
  if (typeof allowInsecure !== 'boolean')
    throw new TypeError('inspectorBridge: allowInsecure must be true or false')
  if (typeof clock !== 'function') throw new TypeError('inspectorBridge: clock must be a function')
  const log = throttled(unfailing(logger), clock)
  const target = targetAt(options.target, options.headers, allowInsecure)
  const { url } = target
  const sender = nodeSender({ origin: url.origin })
  const endpoint = url.pathname + url.search

  async function answer(visit: LocalVisit): Promise<PlainAnswer | undefined> {
    const { req, path, query } = visit
    if (path === '/inspector/send' && req.method === 'POST') return sendRaw(target, sender, visit)
    const asked = path.startsWith('/target/') ? path.slice('/target'.length) : undefined
    return asked !== undefined && isWithin(asked, query, req.method ?? '')
      ? passThrough(target, visit, asked + query)
      : notFound
  }

  function isWithin(asked: string, query: string, method: string): boolean {
    if (asked === url.pathname) return methods.has(method)
    return method === 'GET' && isMetadata(asked + query)
  }

  const site = await localSite(
    {
      port,
      page: '/inspector',
      config: {
        kind: 'bridge',
        name: url.host,
        endpoint: `/target${endpoint}`,
        url: url.href,
        send: '/inspector/send',
      },
      lock: sessionLock(() => log(tooManyTries)),
      answer,
      logger: log,
    },
    patience,
  )
  return {
    ...site,
    close() {
      sender.close()
      return site.close()
    },
  }
}

/** What a page can send. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** RFC 9728 section 3.1: the well-known path, and behind it the path and query of the resource. */
const metadata = /^\/\.well-known\/oauth-protected-resource(?:[/?][\x21-\x7E]{0,2048})?$/
/** In every spelling that a server may take for `.` and `..`. */
const dots = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=[/\\?]|%2f|%5c|$)/i

function isMetadata(asked: string): boolean {
  return metadata.test(asked) && !dots.test(asked)
}

/** Said when a key is void. */
export const tooManyTries = {
  level: 'warn',
  event: 'inspector_key_void',
  message:
    'Somebody tried wrong keys, so the printed address is good for nothing any more. Press Enter for another one.',
} as const
