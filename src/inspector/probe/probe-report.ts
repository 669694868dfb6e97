import type { Finding, Severity } from './finding.ts'

/** What became of one check. */
export interface CheckOutcome {
  /** Such as `no-token`. */
  readonly id: string
  /** What was looked at, for people: `A request without a token`. */
  readonly title: string
  /** `skipped` when it could not be asked here; `reason` says why. */
  readonly outcome: 'passed' | 'found' | 'skipped'
  readonly reason?: string
}

/** What the server is, as far as it told. */
export interface ProbedServer {
  readonly name?: string
  readonly version?: string
  /** Protocol revisions it answered in, the newest first. */
  readonly revisions: readonly string[]
}

/** Everything a probe found out. Plain data without a token in it: it can be stored and shown. */
export interface ProbeReport {
  /** The endpoint, without user information, query and fragment. */
  readonly url: string
  /** ISO 8601. */
  readonly at: string
  /** Milliseconds the probe took. */
  readonly ms: number
  /** Whether a token was given. */
  readonly withToken: boolean
  readonly server: ProbedServer
  /** In the order they ran. */
  readonly checks: readonly CheckOutcome[]
  /** The worst first. */
  readonly findings: readonly Finding[]
  readonly worst: Severity | undefined
  /** Requests sent. */
  readonly requests: number
}
