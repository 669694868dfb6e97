import { scopePolicy, stderrLogger, systemClock, throttled, unfailing } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import { rateLimiter } from '../core/rate-limit.ts'
import { addressReader } from '../http/client-address.ts'
import { attempting } from '../server/attempting.ts'
import { doorsOf } from '../server/door.ts'
import { checkedLimits } from '../server/limits.ts'
import { type Listening, type ListenOptions, listenAddress, listenOn, onSigterm } from '../server/listen.ts'
import { streamGuard } from '../server/stream-guard.ts'
import { front } from './front/front.ts'
import { gatewaySite } from './front/gateway-site.ts'
import { toolLists } from './front/tool-lookup.ts'
import {
  checkGatewayOptions,
  checkPolicy,
  type GatewayOptions,
  gatewayLimitNames,
} from './gateway-options.ts'
import { boundPolicy } from './policy/policy-bound.ts'
import type { GatewayPolicy } from './policy.ts'

/** A door for a server: it asks for tokens, and lets through what they may. */
export interface Gateway extends AsyncDisposable {
  /**
   * Listens with `node:http`: the MCP endpoint, `/health`, the protected resource metadata (RFC 9728) when `auth` names an
   * authorization server, and `/.well-known/jwks.json` when there is an `identity`.
   *
   * @throws TypeError naming the option that is wrong
   * @throws Error with the system's `code` when the address cannot be bound, and when the gateway was closed
   */
  listen(options?: ListenOptions): Promise<Listening>
  /**
   * From now on requests are judged by this policy; `undefined` lets every good token do everything. Streams that are open
   * stay, and what comes on them is judged by it.
   * @throws TypeError when it is no policy
   */
  usePolicy(policy: GatewayPolicy | undefined): void
  /** Streams that are open. */
  readonly openStreams: number
  /**
   * Closes every listener and the server behind, for good. Calls in flight may finish for up to five seconds; requests
   * that come later are answered with 503.
   */
  close(): Promise<void>
}

/**
 * Puts a token in front of any MCP server: nothing reaches it from callers whose token is not good, or who may not do
 * what they ask for, and their tokens never do (MCP authorization; MCP security best practices, "Token Passthrough"). In
 * this order: Host and Origin, the token, the body, how often, the policy, the server.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { gateway, httpUpstream } from 'mcp-bearer/gateway'
 * import { jwtVerifier } from 'mcp-bearer/verify'
 *
 * const issuer = 'https://id.example.com'
 * const auth = jwtVerifier({ jwksUri: 'discover', issuer, audience: 'https://mcp.example.com/mcp' })
 * const door = gateway({ upstream: httpUpstream({ url: 'http://127.0.0.1:9000/mcp' }), auth })
 * console.log(`protected: ${(await door.listen({ port: 8000 })).url}`)
 * ```
 */
export function gateway(options: GatewayOptions): Gateway {
  const { front, streams, doors, site, maxConnections } = gatewayParts(options)
  const open = new Set<Listening>()
  let closing: Promise<void> | undefined

  async function end(): Promise<void> {
    front.isClosed = true
    streams.endStanding()
    await Promise.all([...open].map((listening) => listening.close()))
    streams.close()
    await options.upstream.close()
  }
  const close = () => (closing ??= end())

  return {
    async listen(wanted = {}) {
      if (front.isClosed) throw new Error('the gateway was closed; make a new one')
      checkOptions('listen', wanted, ['port', 'host', 'path', 'closeOnSigterm'])
      const address = listenAddress(wanted)
      const siteFor = (port: number) => {
        const door = address.loopback ? doors.onLoopback(address, port) : doors.anywhere
        return gatewaySite(site, door, address)
      }
      const bound = await listenOn(address, siteFor, maxConnections)
      const listening = wanted.closeOnSigterm === false ? bound : endingOnSigterm(bound, close)
      open.add(listening)
      if (!front.isClosed) return listening
      // It was closed while the address was bound.
      await listening.close()
      throw new Error('the gateway was closed; make a new one')
    },
    usePolicy(policy) {
      checkPolicy(policy)
      front.policy = boundPolicy(policy)
    },
    get openStreams() {
      return front.openStreams
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What a gateway consists of, put together once. */
function gatewayParts(options: GatewayOptions) {
  checkGatewayOptions(options)
  const { upstream, auth, http = {}, scopeHierarchy, identity, onRequest, clock = systemClock } = options
  const limits = checkedLimits(options.limits, 'gateway', gatewayLimitNames)
  const logger = unfailing(options.logger ?? stderrLogger)
  const scopes = scopePolicy(scopeHierarchy)
  const streams = streamGuard(auth, scopes, clock, limits.maxStreams)
  const perMinute = limits.requestsPerMinute
  const admission = { auth, clock, ...(scopeHierarchy && { scopeHierarchy }) }
  const own = front(
    {
      upstream,
      identity,
      // Every request may fail, and nobody must be able to fill a disk by asking often.
      logger: throttled(logger, clock),
      streams,
      tools: toolLists(upstream, clock),
      attempting: attempting(limits.failuresPerMinute, addressReader(http.trustProxy), clock, limits.shared),
      limiter: Number.isFinite(perMinute) ? rateLimiter({ perMinute, clock }) : undefined,
      covers: (token, wanted) => scopes.covers(token.scopes, wanted),
    },
    boundPolicy(options.policy),
  )
  const bodies = { maxBytes: limits.maxBodyBytes, timeoutMs: limits.bodyTimeoutMs }
  return {
    front: own,
    streams,
    doors: doorsOf(admission, http, logger, 'gateway'),
    site: { front: own, limits: bodies, identity, onRequest, clock },
    maxConnections: limits.maxConnections,
  }
}

function endingOnSigterm(listening: Listening, end: () => Promise<void>): Listening {
  const off = onSigterm(end)
  const close = () => {
    off()
    return listening.close()
  }
  return { ...listening, close, [Symbol.asyncDispose]: close }
}
