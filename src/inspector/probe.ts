import { systemClock } from '../core/clock.ts'
import type { Clock } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { Check } from './probe/check.ts'
import { checks } from './probe/checks/index.ts'
import type { ProbeReport } from './probe/probe-report.ts'
import { probedEndpoint } from './probe/probed-endpoint.ts'
import { type ProbeStep, runProbe } from './probe/run-probe.ts'
import { nodeSender } from './senders/node-sender.ts'

export type { ProbeStep } from './probe/run-probe.ts'

/** The checks of a probe, in the order they run. */
export const probeChecks: readonly { readonly id: string; readonly title: string }[] = Object.freeze(
  checks.map(({ id, title }) => Object.freeze({ id, title })),
)

/** How {@link probe} asks. */
export interface ProbeOptions {
  /** A good token for the server. It goes nowhere but to the origin of the URL. Default: none; what needs one is skipped. */
  readonly token?: string
  /** Milliseconds to wait for each answer. Default: 10,000. */
  readonly timeoutMs?: number
  /** Only these checks, by id; see {@link probeChecks}. Default: all. */
  readonly only?: readonly string[]
  /** Aborting it ends the probe. */
  readonly signal?: AbortSignal
  /** Told when a check begins and ends. Must not throw. */
  readonly onStep?: (step: ProbeStep) => void
  /** Sends the token over plain http to a host that is not this machine. Default: false. */
  readonly allowInsecure?: boolean
  /** Default: that of this machine. */
  readonly clock?: Clock
}

/**
 * Looks at the authentication of an MCP server from outside: about 80 real requests, without a token, with bad ones, and
 * with altered copies of yours. Nothing is called and nothing changed on the server; it may log what it refuses, and count
 * it. Requests go to the origin of the URL only, and no redirect is followed.
 *
 * @param url the MCP endpoint
 * @throws ProbeUnreachable when the server answers nothing at all
 * @throws TypeError when the URL or an option is wrong, `only` names a check that does not exist, or the token would travel unencrypted
 *
 * @example
 * ```ts
 * import { probe } from 'mcp-bearer/inspector'
 *
 * const report = await probe('https://mcp.example.com/mcp')
 * for (const { severity, title, fix } of report.findings) {
 *   console.log(`${severity}: ${title} ${fix}`)
 * }
 * ```
 */
export async function probe(url: string | URL, options: ProbeOptions = {}): Promise<ProbeReport> {
  checkOptions('probe', options, known)
  const endpoint = probedEndpoint(String(url))
  const { token, timeoutMs, only, signal, onStep, allowInsecure = false, clock = systemClock } = options
  if (token !== undefined && !isSendable(token))
    throw new TypeError('probe: token must be a text that can stand in a header, without blanks')
  if (token !== undefined && !endpoint.isTls && !endpoint.isLoopback && !allowInsecure)
    throw new TypeError(
      'probe: the token would travel unencrypted; use https, or allow it if the network is yours (allowInsecure, --allow-insecure)',
    )
  const chosen = chosenChecks(only)
  const sender = nodeSender({ origin: endpoint.origin, ...(timeoutMs !== undefined && { timeoutMs }) })
  try {
    return await runProbe({
      url: String(url),
      token,
      sender,
      signal: signal ?? new AbortController().signal,
      clock,
      checks: chosen,
      ...(onStep && { onStep }),
    })
  } finally {
    sender.close()
  }
}

const known = ['token', 'timeoutMs', 'only', 'signal', 'onStep', 'allowInsecure', 'clock'] as const

function isSendable(token: unknown): boolean {
  return typeof token === 'string' && /^[\x21-\x7E]+$/.test(token)
}

function chosenChecks(only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined) return checks
  const unknown = only.find((id) => !checks.some((check) => check.id === id))
  if (unknown !== undefined) throw new TypeError(`there is no check "${unknown.slice(0, 60)}"`)
  return checks.filter(({ id }) => only.includes(id))
}
