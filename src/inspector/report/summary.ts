import { type Finding, type Severity, severities } from '../probe/finding.ts'
import type { CheckOutcome, ProbeReport } from '../probe/probe-report.ts'

/** How many findings there are of each severity that occurs, the worst first. */
export function severityCounts(
  findings: readonly Finding[],
): (readonly [severity: Severity, count: number])[] {
  return severities
    .map(
      (severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const,
    )
    .filter(([, count]) => count > 0)
}

/** What was probed, in one line: who it says it is, and where. */
export function serverLine({ server, url }: ProbeReport): string {
  const who = [server.name, server.version].filter((word) => word !== undefined && word !== '').join(' ')
  return who === '' ? url : `${who} at ${url}`
}

/** How much was looked at, and what came of it, in one sentence. */
export function outcomeLine({ checks, findings }: ProbeReport): string {
  const asked = checks.filter(({ outcome }) => outcome !== 'skipped').length
  const counts = severityCounts(findings).map(([severity, count]) =>
    severity === 'note' ? counted(count, severity) : `${count} ${severity}`,
  )
  return `${counted(asked, 'check')}, ${counted(findings.length, 'finding')}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`
}

/** What is said when nothing was found. */
export function calmLine({ checks }: ProbeReport): string {
  return checks.every(({ outcome }) => outcome === 'skipped')
    ? 'Nothing was looked at.'
    : 'Nothing found. As far as it was looked at, the server does what the specifications ask.'
}

/** Checks that could not be made, by the reason. */
export function skippedByReason(checks: readonly CheckOutcome[]): Map<string, string[]> {
  const reasons = new Map<string, string[]>()
  for (const { outcome, reason = 'no reason is given', id } of checks) {
    if (outcome !== 'skipped') continue
    reasons.set(reason, [...(reasons.get(reason) ?? []), id])
  }
  return reasons
}

/** `1 check`, `2 checks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
