import { severities } from '../../inspector/probe/finding.ts'
import { findingTexts } from '../../inspector/probe/finding-texts.ts'
import { probeChecks } from '../../inspector/probe.ts'
import { table } from '../terminal.ts'

/** Everything a probe looks at, and everything it can find. */
export function probeList(): {
  json: Readonly<Record<string, unknown>>
  lines: readonly string[]
} {
  const checks = probeChecks.map(({ id, title }) => ({ id, title }))
  const codes = Object.entries(findingTexts).map(([code, { severity, title }]) => ({ code, severity, title }))
  const findings = severities.flatMap((severity) => codes.filter((one) => one.severity === severity))
  return {
    json: { checks, findings },
    lines: [
      ...table([['CHECK', 'LOOKS AT'], ...checks.map(({ id, title }) => [id, title])]),
      '',
      ...table([
        ['SEVERITY', 'FINDING', 'WHAT IT SAYS'],
        ...findings.map(({ code, severity, title }) => [severity, code, title]),
      ]),
    ],
  }
}
