import type { AuthErrorCode } from '../core/errors.ts'
import type { AuthEvent, EventSink } from '../core/events.ts'

/** As much of a `Meter` of `@opentelemetry/api` as is used. */
export interface MetricsMeter {
  createHistogram(
    name: string,
    options: { readonly unit: string },
  ): {
    record(value: number, labels: Record<string, string>): void
  }
  createCounter(name: string): { add(value: number, labels: Record<string, string>): void }
  /** Absent on meters of OpenTelemetry before 1.9: what is a gauge is not recorded then. */
  createGauge?(
    name: string,
    options: { readonly unit: string },
  ): { record(value: number, labels: Record<string, string>): void }
}

/**
 * Records events as OpenTelemetry metrics. No label names a caller, a key or an issuer.
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `mcp.auth.authenticate.duration` | histogram, seconds | `method`, `result` (`success`; `failure` of the caller, a missing scope too; `error` of our own side), `error.type`, `cache` |
 * | `mcp.auth.cache.operations` | counter | `cache` (`token`, `verdict`, `key`, `negative`), `result` (`hit`, `miss`) |
 * | `mcp.auth.jwks.fetches` | counter | `result` (`ok`, `failed`, `stale_served`) |
 * | `mcp.auth.jwks.duration` | histogram, seconds | `result` |
 * | `mcp.auth.introspection.duration` | histogram, seconds | `result` (`active`, `inactive`, `failed`) |
 * | `mcp.auth.store.duration` | histogram, seconds | `op` (`find`, `changes`, `uses`, `audit`, `count`), `result` (`ok`, `failed`) |
 * | `mcp.auth.revocation.lag` | gauge, seconds | `source` (`poll`, `notify`) |
 * | `mcp.auth.fail_open` | counter; more than 0 only with `serveLastKnownFor` | `component` (`keys`, `revocations`) |
 * | `mcp.auth.ratelimit.decisions` | counter | `result` (`allowed`, `refused`), `scope` (`key`) |
 * | `mcp.auth.audit.dropped` | counter | `sink` (`store`) |
 *
 * @param meter of `@opentelemetry/api`, which is yours to install
 * @returns what `onEvent` of a `VerifierEnvironment` takes
 *
 * @example
 * ```ts
 * import { metrics } from '@opentelemetry/api'
 * import { jwtVerifier, metricEvents } from 'mcp-bearer/verify'
 *
 * jwtVerifier(
 *   { jwksUri: 'https://idp.example.com/jwks', issuer: 'https://idp.example.com', audience: 'me' },
 *   { onEvent: metricEvents(metrics.getMeter('my-mcp-server')) },
 * )
 * ```
 */
export function metricEvents(meter: MetricsMeter): EventSink {
  const seconds = { unit: 's' }
  const authenticate = meter.createHistogram('mcp.auth.authenticate.duration', seconds)
  const introspection = meter.createHistogram('mcp.auth.introspection.duration', seconds)
  const fetching = meter.createHistogram('mcp.auth.jwks.duration', seconds)
  const fetches = meter.createCounter('mcp.auth.jwks.fetches')
  const cache = meter.createCounter('mcp.auth.cache.operations')
  const keys = keyEvents(meter)

  return (event) => {
    switch (event.type) {
      case 'accepted':
      case 'refused':
      case 'failed':
        authenticate.record(event.seconds, verdictLabels(event))
        break
      case 'cache.hit':
      case 'cache.miss':
        cache.add(1, { cache: event.cache, result: event.type.slice('cache.'.length) })
        break
      case 'jwks.fetched':
        fetches.add(1, { result: event.result })
        fetching.record(event.seconds, { result: event.result })
        break
      case 'jwks.stale':
        fetches.add(1, { result: 'stale_served' })
        break
      case 'introspection':
        introspection.record(event.seconds, { result: event.result })
        break
      default:
        keys(event)
    }
  }
}

/** What only API keys, and revocations on the same store, tell of. */
type KeyEvent = Extract<
  AuthEvent,
  { type: 'store' | 'revocation.synced' | 'fail_open' | 'rate_limit' | 'audit.dropped' }
>

function keyEvents(meter: MetricsMeter): (event: KeyEvent) => void {
  const store = meter.createHistogram('mcp.auth.store.duration', { unit: 's' })
  const lag = meter.createGauge?.('mcp.auth.revocation.lag', { unit: 's' })
  const failOpen = meter.createCounter('mcp.auth.fail_open')
  const limits = meter.createCounter('mcp.auth.ratelimit.decisions')
  const dropped = meter.createCounter('mcp.auth.audit.dropped')

  return (event) => {
    switch (event.type) {
      case 'store':
        store.record(event.seconds, { op: event.operation, result: event.result })
        break
      case 'revocation.synced':
        lag?.record(event.lag, { source: event.source })
        break
      case 'fail_open':
        failOpen.add(1, { component: event.component })
        break
      case 'rate_limit':
        limits.add(1, { result: event.result, scope: 'key' })
        break
      case 'audit.dropped':
        dropped.add(event.count, { sink: 'store' })
    }
  }
}

/** Errors that are the caller's affair: who is woken by `error` must not be woken by a client that asks for too little. */
const denials: ReadonlySet<string> = new Set<AuthErrorCode>([
  'unauthorized',
  'invalid_token',
  'insufficient_scope',
  'access_denied',
  'rate_limited',
])

function verdictLabels(event: Extract<AuthEvent, { type: 'accepted' | 'refused' | 'failed' }>) {
  const { method, cache } = event
  switch (event.type) {
    case 'accepted':
      return { method, cache, result: 'success' }
    case 'refused':
      return { method, cache, result: 'failure', 'error.type': event.reason }
    case 'failed':
      return {
        method,
        cache,
        result: denials.has(event.error) ? 'failure' : 'error',
        'error.type': event.error,
      }
  }
}
