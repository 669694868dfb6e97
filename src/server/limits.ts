import type { SharedCounters } from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'

/** What a server does not do more of, longer or bigger. */
export interface Limits {
  /** Milliseconds after which a tool call is given up. Default: 600,000. */
  readonly toolTimeoutMs?: number
  /** Bytes of a request body. Default: 4 MiB. */
  readonly maxBodyBytes?: number
  /** Milliseconds a request body may take. Default: 30,000. */
  readonly bodyTimeoutMs?: number
  /** Connections of a listener at a time. Default: 10,000. */
  readonly maxConnections?: number
  /** Streams one principal may have open. Default: 100. */
  readonly maxStreams?: number
  /** Lines of a list that are sent at once; the rest follows page by page (MCP "Pagination"). Default: 1,000. */
  readonly pageSize?: number
  /** Milliseconds for which a client may keep a list (MCP "Caching"). Default: 0, it asks each time. */
  readonly listTtlMs?: number
  /**
   * Requests of the protocol by one principal a minute; more are answered with 429. Who has no token counts by address.
   * Default: no limit.
   */
  readonly requestsPerMinute?: number
  /**
   * Bad credentials from one address a minute; its further ones are answered with 429. 0 switches it off. Where no
   * address is known, as in `fetch` without `trustProxy`, nothing is counted. Default: 60.
   */
  readonly failuresPerMinute?: number
  /**
   * Counts of all nodes, for `failuresPerMinute`: an address that is blocked on one is blocked on the others after its
   * first bad credential there. A `KeyStore` is one. No answer waits for it, and while it cannot be reached each node
   * counts by itself. Default: each does.
   */
  readonly shared?: SharedCounters
}

/** The limits that are numbers. */
type Numbers = Omit<Limits, 'shared'>

/** {@link Limits} with every default filled in. */
export type CheckedLimits = Readonly<Required<Numbers>> & Pick<Limits, 'shared'>

const defaults: Readonly<Required<Numbers>> = {
  toolTimeoutMs: 600_000,
  maxBodyBytes: 4 * 1024 * 1024,
  bodyTimeoutMs: 30_000,
  maxConnections: 10_000,
  maxStreams: 100,
  pageSize: 1000,
  listTtlMs: 0,
  requestsPerMinute: Number.POSITIVE_INFINITY,
  failuresPerMinute: 60,
}

/** The least and the most of each. */
const bounds: Readonly<Record<keyof Numbers, readonly [low: number, high: number]>> = {
  toolTimeoutMs: [1, 2 ** 31 - 1],
  maxBodyBytes: [1, 1024 ** 3],
  bodyTimeoutMs: [1, 3_600_000],
  maxConnections: [1, 1_000_000],
  maxStreams: [1, 1_000_000],
  pageSize: [1, 100_000],
  listTtlMs: [0, 86_400_000],
  requestsPerMinute: [1, 1_000_000],
  failuresPerMinute: [0, 1_000_000],
}
const numbers = Object.keys(bounds) as (keyof Numbers)[]

/**
 * @param owner who is limited, as messages call it. Default: `MCPServer`
 * @param known the limits that mean something there. Default: all
 * @throws TypeError naming the limit that is unknown or out of bounds
 */
export function checkedLimits(
  limits: Limits = {},
  owner = 'MCPServer',
  known: readonly (keyof Limits)[] = [...numbers, 'shared'],
): CheckedLimits {
  checkOptions(`${owner}: limits`, limits, known)
  const checked = { ...defaults, ...limits }
  for (const name of numbers) {
    // No limit is written as a number where there is none by default.
    if (checked[name] === Number.POSITIVE_INFINITY && defaults[name] === checked[name]) continue
    if (!Number.isInteger(numberBetween(`${owner}: limits.${name}`, checked[name], ...bounds[name])))
      throw new TypeError(`${owner}: limits.${name} must be a whole number`)
  }
  if (limits.shared !== undefined) checkShared(owner, limits.shared, checked.failuresPerMinute)
  return Object.freeze(checked)
}

function checkShared(owner: string, shared: SharedCounters, failuresPerMinute: number): void {
  if (typeof shared?.pour !== 'function')
    throw new TypeError(`${owner}: limits.shared must be shared counters, for example a KeyStore`)
  if (failuresPerMinute === 0)
    throw new TypeError(`${owner}: limits.shared has no effect: failuresPerMinute is 0`)
}
