import { stopwatch } from '../../core/clock.ts'
import type { Clock } from '../../core/index.ts'
import { isObject } from '../../verify/json.ts'
import { resultOf } from './answer.ts'
import { type Bench, benchFor, CannotTell, type RunBench } from './bench.ts'
import type { Check } from './check.ts'
import { isMcp } from './checks/reach.ts'
import { closeSessions } from './close-sessions.ts'
import type { ProbeSender } from './exchange.ts'
import { type Finding, type Observation, severities } from './finding.ts'
import type { CheckOutcome, ProbedServer, ProbeReport } from './probe-report.ts'
import { probedEndpoint } from './probed-endpoint.ts'
import type { Survey } from './survey.ts'
import { type Veil, veil } from './veil.ts'

/** What a probe needs. */
export interface ProbeRun {
  /** The MCP endpoint; absolute. */
  readonly url: string
  /** A good token for it. Without one, what needs one is skipped. */
  readonly token: string | undefined
  readonly sender: ProbeSender
  /** Aborting it ends the probe. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** What is looked at, in this order. Given, and not imported: a page loads most of them when somebody wants them. */
  readonly checks: readonly Check[]
  /** Told when a check begins and ends: for progress, and for findings as they come. Must not throw. */
  readonly onStep?: (step: ProbeStep) => void
}

/** A moment of a probe. */
export type ProbeStep =
  | {
      readonly kind: 'begins'
      readonly id: string
      readonly title: string
      readonly done: number
      readonly of: number
    }
  | { readonly kind: 'ends'; readonly check: CheckOutcome; readonly findings: readonly Finding[] }

/**
 * Runs the checks of a probe one after the other, through any sender. Knows nothing of sockets and files: it runs in a web
 * page as well.
 *
 * @throws ProbeUnreachable when the server answers nothing at all
 * @throws TypeError when the URL is none
 */
export async function runProbe(run: ProbeRun): Promise<ProbeReport> {
  const endpoint = probedEndpoint(run.url)
  const { checks } = run
  const secrets = [...(run.token === undefined ? [] : [run.token]), ...endpoint.queryValues]
  const hidden = veil(secrets)
  const bench = benchFor({ ...run, endpoint, veil: hidden })
  const startedAt = run.clock()
  const watch = stopwatch()

  const outcomes: CheckOutcome[] = []
  const findings: Finding[] = []
  for (const [done, check] of checks.entries()) {
    run.onStep?.({ kind: 'begins', id: check.id, title: check.title, done, of: checks.length })
    const reason = await runCheck(check, bench, run.sender.isRaw)
    const found = await inWords(bench.takeObservations())
    const outcome = outcomeOf(check, found, reason)
    outcomes.push(outcome)
    findings.push(...found)
    run.onStep?.({ kind: 'ends', check: outcome, findings: found })
  }
  const server = await probedServer(bench, hidden)
  await closeSessions(bench).catch((error: unknown) => {
    if (!(error instanceof CannotTell)) throw error
  })
  const sorted = merged(findings)
  return {
    url: hidden.text(endpoint.url),
    at: new Date(startedAt).toISOString(),
    ms: Math.round(stopwatch() - watch),
    withToken: run.token !== undefined,
    server,
    checks: outcomes,
    findings: sorted,
    worst: sorted[0]?.severity,
    requests: bench.requests,
  }
}

/** @returns why nothing, or not everything, could be looked at; `undefined` when all was */
async function runCheck(check: Check, bench: RunBench, isRaw: boolean): Promise<string | undefined> {
  try {
    const missing = await missingNeed(check, bench, isRaw)
    if (missing !== undefined) return missing
    await check.run(bench)
    return undefined
  } catch (error) {
    if (error instanceof CannotTell) return error.message
    throw error
  }
}

async function missingNeed(check: Check, bench: Bench, isRaw: boolean): Promise<string | undefined> {
  const { needs } = check
  if (needs.includes('raw') && !isRaw)
    return 'A web page cannot send such requests. `mcp-bearer probe` and `mcp-bearer inspect` can.'
  if (needs.includes('admitted') && bench.token === undefined) return 'No token was given.'
  if (needs.length === 0) return undefined
  const { anonymous, own, isOpen, isProtected, isAdmitted } = await bench.survey()
  if (!isMcp([anonymous.modern, anonymous.legacy, ...(own ? [own.modern, own.legacy] : [])]))
    return 'No MCP server answered.'
  if (isOpen && needs.includes('protected')) return 'The server asks for no token.'
  if (needs.includes('admitted') && !isAdmitted) return 'Your token was not admitted.'
  if (needs.includes('protected') && !isProtected)
    return 'Whether the server asks for a token could not be found out.'
  return undefined
}

function outcomeOf(
  { id, title }: Check,
  found: readonly Finding[],
  reason: string | undefined,
): CheckOutcome {
  const outcome = found.length > 0 ? 'found' : reason === undefined ? 'passed' : 'skipped'
  return { id, title, outcome, ...(reason !== undefined && { reason }) }
}

/** The words are many, and of a server that is as it should be none is needed: they are loaded for the first finding. */
async function inWords(observations: readonly Observation[]): Promise<readonly Finding[]> {
  if (observations.length === 0) return []
  const { findingTexts } = await import('./finding-texts.ts')
  return observations.map((one) => ({ ...one, ...findingTexts[one.code] }))
}

/** One finding of a code, the worst first. Several checks may come upon the same. */
function merged(findings: readonly Finding[]): Finding[] {
  const byCode = new Map<string, Finding>()
  for (const finding of findings) {
    const before = byCode.get(finding.code)
    byCode.set(finding.code, before ? together(before, finding) : finding)
  }
  const rank = ({ severity }: Finding) => severities.indexOf(severity)
  return [...byCode.values()].sort((one, other) => rank(one) - rank(other))
}

function together(one: Finding, other: Finding): Finding {
  const detail = one.detail === other.detail ? one.detail : `${one.detail} ${other.detail}`
  return { ...one, detail, seen: [...one.seen, ...other.seen].slice(0, 4) }
}

/** What the server says of itself, where it was admitted. One that answers to nothing but "too many" says nothing. */
async function probedServer(bench: Bench, hidden: Veil): Promise<ProbedServer> {
  const survey = await bench.survey().catch((error: unknown) => {
    if (!(error instanceof CannotTell)) throw error
  })
  return survey ? describedBy(survey, hidden) : { revisions: [] }
}

function describedBy({ anonymous, own }: Survey, hidden: Veil): ProbedServer {
  const modern = resultOf(own?.modern.verdict === 'admitted' ? own.modern : anonymous.modern)
  const legacy = resultOf(own?.legacy.verdict === 'admitted' ? own.legacy : anonymous.legacy)
  const meta = isObject(modern._meta) ? modern._meta : {}
  const info = [modern.serverInfo, meta['io.modelcontextprotocol/serverInfo'], legacy.serverInfo].find(
    isObject,
  )
  const versions = Array.isArray(modern.supportedVersions) ? modern.supportedVersions : []
  const revisions = [...versions, legacy.protocolVersion].filter((one) => isRevision(one))
  const short = (value: unknown) => (typeof value === 'string' ? hidden.text(value.slice(0, 200)) : undefined)
  const [name, version] = [short(info?.name), short(info?.version)]
  return {
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    revisions: [...new Set(revisions)].sort().reverse(),
  }
}

function isRevision(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)
}
