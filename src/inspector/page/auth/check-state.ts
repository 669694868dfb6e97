import { type Signal, signal } from '@preact/signals'
import { systemClock } from '../../../core/clock.ts'
import type { Check } from '../../probe/check.ts'
import { ProbeUnreachable } from '../../probe/exchange.ts'
import { type Finding, severities } from '../../probe/finding.ts'
import type { CheckOutcome, ProbeReport } from '../../probe/probe-report.ts'
import type { ProbeStep } from '../../probe/run-probe.ts'
import { config, onTokenChange, token } from '../state.ts'
import { announce } from '../ui/announcer.tsx'
import { pageSender } from './page-sender.ts'

/** How far a check of the server is, and what it found up to now. */
export interface CheckState {
  readonly isRunning: boolean
  /** Whether it was the short look at the beginning. */
  readonly isFirstLook: boolean
  /** What is looked at now. */
  readonly title: string | undefined
  readonly done: number
  readonly of: number
  /** The worst first. */
  readonly findings: readonly Finding[]
  readonly outcomes: readonly CheckOutcome[]
  readonly report: ProbeReport | undefined
  /** Why it ended early. */
  readonly problem: string | undefined
}

const nothing: CheckState = {
  isRunning: false,
  isFirstLook: false,
  title: undefined,
  done: 0,
  of: 0,
  findings: [],
  outcomes: [],
  report: undefined,
  problem: undefined,
}

/** The check that runs, or ran last. */
export const check: Signal<CheckState> = signal(nothing)

let running: AbortController | undefined

onTokenChange(() => {
  running?.abort()
  running = undefined
  check.value = nothing
})

/** Ends the check; what was found stays. */
export function stopCheck(): void {
  running?.abort()
}

/** A short look without a token, when the page opens: whether the server asks for one, and how. */
export function firstLook(): Promise<void> {
  return run({ checks: async () => (await engine()).firstChecks, isFirstLook: true })
}

/** All checks, with the token if there is one. */
export function checkServer(): Promise<void> {
  return run({ checks: async () => (await import('../../probe/checks/index.ts')).checks, isFirstLook: false })
}

/** As much again as all the rest of the page: loaded once the page is there. */
const engine = () => import('../../probe/first-look.ts')

interface Run {
  readonly checks: () => Promise<readonly Check[]>
  readonly isFirstLook: boolean
}

async function run({ checks, isFirstLook }: Run): Promise<void> {
  running?.abort()
  const own = new AbortController()
  running = own
  const change = (changes: Partial<CheckState>) => {
    if (running === own) check.value = { ...check.peek(), ...changes }
  }
  change({ ...nothing, isRunning: true, isFirstLook })
  try {
    const { runProbe } = await engine()
    const report = await runProbe({
      url: endpoint(),
      token: isFirstLook || token.peek() === '' ? undefined : token.peek(),
      sender: pageSender(),
      signal: own.signal,
      clock: systemClock,
      checks: await checks(),
      onStep: (step) => change(afterStep(step)),
    })
    change({ report, findings: report.findings, outcomes: report.checks, isRunning: false, title: undefined })
    if (!isFirstLook && running === own) announce(resultOf(report.findings.length))
  } catch (error) {
    change({ isRunning: false, title: undefined, problem: problemOf(error, own.signal) })
  }
}

/** Of the server as the sender reaches it: paths on the origin of the page, or those of the server behind the bridge. */
function endpoint(): string {
  const { send, url, endpoint: path = '/' } = config.peek()
  return send !== undefined && url !== undefined ? url : location.origin + path
}

function afterStep(step: ProbeStep): Partial<CheckState> {
  if (step.kind === 'begins') return { title: step.title, done: step.done, of: step.of }
  const { findings, outcomes } = check.peek()
  return { findings: worstFirst([...findings, ...step.findings]), outcomes: [...outcomes, step.check] }
}

function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (one, other) => severities.indexOf(one.severity) - severities.indexOf(other.severity),
  )
}

function resultOf(count: number): string {
  if (count === 0) return 'Checked. Nothing was found.'
  return count === 1 ? 'Checked. One finding.' : `Checked. ${count} findings.`
}

function problemOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'Stopped.'
  return error instanceof ProbeUnreachable ? error.message : 'The check could not go on.'
}
