import { authErrorCodes, type EventSink } from '../../core/index.ts'
import { metricEvents } from '../../verify/metrics.ts'
import type { RequestSink } from '../request-entry.ts'
import type { UpstreamProblem } from '../upstream.ts'
import { type Labels, type PrometheusRegistry, prometheusRegistry } from './prometheus.ts'

/** A number that is read when somebody asks for it. */
export interface GatewayGauge {
  /** What it is, in one sentence. */
  readonly help: string
  readonly value: () => number
}

/** Counts what a gateway does. */
export interface GatewayCounts {
  /** For `onRequest` of a gateway. */
  readonly onRequest: RequestSink
  /** For `onEvent` of a verifier. */
  readonly onEvent: EventSink
  /** What was counted so far, in the text exposition format of Prometheus, 0.0.4. */
  text(): string
}

/**
 * Makes {@link GatewayCounts}. No label names a caller, a key, a tool or an issuer, and there are never more of them than
 * methods and outcomes: whatever a caller invents is `other`.
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `mcp_gateway_requests_total` | counter | `method`, `outcome` |
 * | `mcp_gateway_request_duration_seconds` | histogram; of a stream, until it ends | `method` |
 * | `mcp_auth_…` | what `metricEvents` records of verifiers | as there, with `_` for each `.` |
 * | the gauges that are given | gauge | none |
 *
 * @param gauges what else is shown, by the name of its metric. Default: nothing
 * @throws TypeError when a name is no name of a metric
 *
 * @example
 * ```ts
 * import { gatewayCounts } from 'mcp-bearer/gateway'
 *
 * const memory = { help: 'Bytes of this process.', value: () => process.memoryUsage().rss }
 * const counts = gatewayCounts({ process_resident_memory_bytes: memory })
 * counts.text()
 * ```
 */
export function gatewayCounts(gauges: Readonly<Record<string, GatewayGauge>> = {}): GatewayCounts {
  const registry = prometheusRegistry()
  const requests = registry.counter('mcp_gateway_requests_total', 'Requests by method and outcome.')
  const durations = registry.histogram(
    'mcp_gateway_request_duration_seconds',
    'Seconds from the head of a request to the end of its answer.',
  )
  // Labels are written once: every request is counted.
  const rowOf = remembered((method) => ({
    durations: durations.with({ method }),
    outcome: remembered((outcome) => requests.with({ method, outcome })),
  }))
  for (const [name, { help, value }] of Object.entries(gauges)) registry.reading(name, help, value)
  return {
    onRequest({ method, outcome, ms }) {
      const known = methods.has(method) ? method : 'other'
      const row = rowOf(known)
      row.durations(ms / 1000)
      row.outcome(outcomes.has(outcome) ? outcome : 'other')(1)
    },
    onEvent: metricEvents(meterOf(registry)),
    text: () => registry.text(),
  }
}

/** Those of the protocol, of all revisions, and of HTTP for requests nobody read. */
const methods: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'DELETE',
  'response',
  'initialize',
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
  'tasks/get',
  'tasks/update',
  'tasks/list',
  'tasks/result',
  'tasks/cancel',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
])

const problems = {
  unreachable: true,
  timeout: true,
  refused: true,
  broken: true,
  busy: true,
} as const satisfies Readonly<Record<UpstreamProblem, true>>

const outcomes: ReadonlySet<string> = new Set([
  'ok',
  'bad_request',
  'arguments',
  'upstream_error',
  'left',
  'closed',
  ...Object.keys(problems),
  ...authErrorCodes,
])

/** One for each word of a bounded list. */
function remembered<Value>(make: (word: string) => Value): (word: string) => Value {
  const values = new Map<string, Value>()
  return (word) => {
    const known = values.get(word)
    if (known !== undefined) return known
    const made = make(word)
    values.set(word, made)
    return made
  }
}

/** What `metricEvents` records to; the names are those of OpenTelemetry in the spelling of Prometheus. */
function meterOf(registry: PrometheusRegistry): Parameters<typeof metricEvents>[0] {
  const help = 'See metricEvents of mcp-bearer/verify.'
  return {
    createHistogram(name) {
      const histogram = registry.histogram(`${spelt(name)}_seconds`, help)
      return { record: (value, labels) => histogram.record(value, speltLabels(labels)) }
    },
    createCounter(name) {
      const counter = registry.counter(`${spelt(name)}_total`, help)
      return { add: (value, labels) => counter.add(value, speltLabels(labels)) }
    },
    createGauge(name) {
      const gauge = registry.gauge(`${spelt(name)}_seconds`, help)
      return { record: (value, labels) => gauge.record(value, speltLabels(labels)) }
    },
  }
}

function spelt(name: string): string {
  return name.replaceAll('.', '_')
}

function speltLabels(labels: Labels): Labels {
  const { 'error.type': error, ...others } = labels
  return error === undefined ? others : { ...others, error_type: error }
}
