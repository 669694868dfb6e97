import { type AccessToken, scopePolicy, stderrLogger, systemClock, unfailing } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import { rateLimiter } from '../core/rate-limit.ts'
import { addressReader } from '../http/client-address.ts'
import { attempting } from './attempting.ts'
import { pagesOf } from './catalogue-of.ts'
import { type Changes, changesOf } from './changes.ts'
import type { CustomRoutes } from './custom-routes.ts'
import { type Doors, doorsOf } from './door.ts'
import { type Endpoint, endpoint, type OpenTo } from './endpoint.ts'
import { checkedSessions, checkHttpOptions, type HttpOptions } from './http-options.ts'
import { type HttpSide, httpSide } from './http-side.ts'
import { arrivalReader } from './keys-mount.ts'
import { type CheckedLimits, checkedLimits } from './limits.ts'
import { checkedIcons, listedTexts } from './listed.ts'
import type { MCPServerOptions } from './mcp-server.ts'
import type { Middleware } from './middleware.ts'
import type { Mountable } from './mount.ts'
import { registry } from './registry.ts'
import type { Served, ServerIdentity } from './served.ts'
import { streamGuard } from './stream-guard.ts'
import type { ToolDefaults } from './tools.ts'

/** What an `MCPServer` consists of, put together once. */
export interface ServerParts {
  readonly served: Served
  readonly changes: Changes
  readonly endpoint: Endpoint
  readonly http: HttpSide
  /** What components get from their server. */
  readonly defaults: ToolDefaults
  /** This server, as one that holds it sees it. */
  readonly mountable: Mountable
  /** Names of headers that hold a credential, of this server and of those it holds. */
  readonly hidden: Set<string>
}

const known = [
  'name',
  'version',
  'about',
  'auth',
  'optionalAuth',
  'anonymous',
  'scopeHierarchy',
  'limits',
  'logger',
  'clock',
] as const satisfies readonly (keyof MCPServerOptions)[]

/**
 * Checks the options of a server and puts it together.
 * @throws TypeError naming the option that is wrong
 */
export function serverParts(
  options: MCPServerOptions,
  http: HttpOptions,
  middleware: readonly Middleware[],
  custom: CustomRoutes,
): ServerParts {
  checkOptions('MCPServer', options, known)
  checkHttpOptions(http)
  checkAuth(options, http)
  const { auth, clock = systemClock } = options
  const limits = checkedLimits(options.limits)
  const served = servedBy(options, http, limits, middleware)
  const { logger } = served
  const doors: Doors = doorsOf({ ...options, clock }, http, logger)
  const changes = changesOf(served.registry)
  const addressOf = addressReader(http.trustProxy)
  const attempts = attempting(limits.failuresPerMinute, addressOf, clock, limits.shared)
  const own: Endpoint = endpoint({
    served,
    changes,
    lanes: {
      sessions: http.sessions === false ? undefined : checkedSessions(settings(http.sessions)),
      legacySse: http.legacySse === true,
      fast: !slowOnly.has(http),
    },
    openTo: openTo(options),
    attempting: attempts,
    addressOf,
    streams: streamGuard(auth, scopePolicy(options.scopeHierarchy), clock, limits.maxStreams),
  })
  const hidden = new Set(doors.anywhere.gate?.credentialHeaders ?? ['authorization'])
  const facts = {
    auth,
    apiKeyHeader: http.apiKeyHeader,
    isOptional: options.optionalAuth === true,
    legacySse: http.legacySse === true,
    resource: http.resource,
    keysPath: () => custom.keysPath,
  }
  return {
    served,
    changes,
    hidden,
    endpoint: own,
    defaults: { logger, clock, timeoutMs: limits.toolTimeoutMs },
    mountable: { registry: served.registry, gate: doors.anywhere.gate, middleware, clock },
    http: httpSide({
      doors,
      endpoint: own,
      limits: { maxBytes: limits.maxBodyBytes, timeoutMs: limits.bodyTimeoutMs },
      logger,
      custom,
      hidden,
      arrivalOf: arrivalReader(http.trustProxy, attempts),
      pages: (door, path) => pagesOf(served, facts, door, path),
      publicPages: http.publicPages,
      legacySse: http.legacySse === true,
    }),
  }
}

/**
 * HTTP options of servers that answer everything by the slow lane. For tests, which compare the two: there is no option
 * for it, because nobody else has a use for it.
 */
export const slowOnly: WeakSet<object> = new WeakSet()

function settings(sessions: HttpOptions['sessions']): object {
  return typeof sessions === 'object' ? sessions : {}
}

function servedBy(
  options: MCPServerOptions,
  http: HttpOptions,
  limits: CheckedLimits,
  middleware: readonly Middleware[],
): Served {
  const { clock = systemClock, auth } = options
  const policy = scopePolicy(options.scopeHierarchy)
  const perMinute = limits.requestsPerMinute
  let stateKey: string | Uint8Array | undefined = http.stateKey
  return {
    identity: identityOf(options),
    instructions: options.about?.instructions,
    registry: registry(),
    limits,
    logger: unfailing(options.logger ?? stderrLogger),
    clock,
    inFlight: new Set(),
    middleware,
    limiter: Number.isFinite(perMinute) ? rateLimiter({ perMinute, clock }) : undefined,
    isOpen: auth === undefined,
    // Not before it is needed: nothing random can be made where a worker loads.
    get stateKey() {
      stateKey ??= crypto.getRandomValues(new Uint8Array(32))
      return stateKey
    },
    covers: (token: AccessToken, scopes) => policy.covers(token.scopes, scopes),
  }
}

function identityOf({ name, version = '0.0.0', about = {} }: MCPServerOptions): ServerIdentity {
  if (typeof name !== 'string' || name === '')
    throw new TypeError('MCPServer: name must be a non-empty string')
  checkOptions('MCPServer: about', about, ['title', 'description', 'websiteUrl', 'icons', 'instructions'])
  const { icons } = about
  if (typeof version !== 'string') throw new TypeError('MCPServer: version must be a text')
  listedTexts('MCPServer: about', about, ['instructions'])
  return {
    name,
    version,
    ...listedTexts('MCPServer: about', about, ['title', 'description', 'websiteUrl']),
    ...(icons !== undefined && { icons: checkedIcons('MCPServer: about', icons) }),
  }
}

/** The requests of both revisions, and what a client sends before its first one. */
const methods: ReadonlySet<string> = new Set([
  'initialize',
  'notifications/initialized',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
])

/** Whoever opens something says so; an option that would open it by accident is none. */
function openTo({ optionalAuth = false, anonymous = [] }: MCPServerOptions): OpenTo {
  if (typeof optionalAuth !== 'boolean') throw new TypeError('MCPServer: optionalAuth must be true or false')
  if (!Array.isArray(anonymous) || !anonymous.every((method) => typeof method === 'string' && method !== ''))
    throw new TypeError('MCPServer: anonymous must be a list of methods, such as "tools/list"')
  const unknown = anonymous.find((method) => !methods.has(method))
  if (unknown !== undefined) throw new TypeError(`MCPServer: anonymous: there is no method "${unknown}"`)
  if (optionalAuth && anonymous.length > 0)
    throw new TypeError('MCPServer: anonymous has no effect beside optionalAuth, which opens more')
  return { everybody: optionalAuth, methods: new Set(anonymous) }
}

function checkAuth(options: MCPServerOptions, http: HttpOptions): void {
  if (options.clock !== undefined && typeof options.clock !== 'function') {
    throw new TypeError('MCPServer: clock must be a function that returns milliseconds')
  }
  if ('auth' in options) {
    if (typeof options.auth?.verifyToken === 'function') return
    throw new TypeError(
      'MCPServer: auth must be a token verifier, for example a BearerAuthProvider; leave it out for a server without protection',
    )
  }
  const { optionalAuth, anonymous } = options
  for (const [name, value] of Object.entries({ optionalAuth, anonymous, apiKeyHeader: http.apiKeyHeader })) {
    if (value !== undefined) throw new TypeError(`MCPServer: ${name} has no effect without auth`)
  }
}
