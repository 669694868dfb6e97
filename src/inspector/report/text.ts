import type { Finding } from '../probe/finding.ts'
import type { CheckOutcome, ProbeReport } from '../probe/probe-report.ts'
import { evidenceLines, exchangeText } from './exchange-text.ts'
import { calmLine, counted, outcomeLine, serverLine, skippedByReason } from './summary.ts'
import { visibleLine } from './visible-line.ts'

/** How much is told. */
export interface ReportLinesOptions {
  /** All checks, and the exchanges of every finding from the first line to the last. Default: false. */
  readonly isVerbose?: boolean
}

/**
 * A report for a terminal: what was probed, the findings with the worst first, and what could not be looked at. What a
 * server wrote does nothing to the terminal.
 *
 * @example
 * ```ts
 * import { probe, reportLines } from 'mcp-bearer/inspector'
 *
 * const report = await probe('https://mcp.example.com/mcp')
 * for (const line of reportLines(report)) console.log(line)
 * ```
 */
export function reportLines(report: ProbeReport, { isVerbose = false }: ReportLinesOptions = {}): string[] {
  const { server, requests, ms, findings, checks } = report
  const revisions = server.revisions.length > 0 ? `MCP ${server.revisions.join(', ')}; ` : ''
  return [
    visibleLine(serverLine(report)),
    visibleLine(
      `${revisions}${outcomeLine(report)} (${counted(requests, 'request')} in ${Math.round(ms)} ms)`,
    ),
    '',
    ...(findings.length === 0 ? [calmLine(report)] : findings.flatMap((one) => findingLines(one, isVerbose))),
    ...skippedLines(checks),
    ...(isVerbose ? ['', 'All checks', ...checks.map(checkLine)] : []),
  ]
}

function findingLines(finding: Finding, isVerbose: boolean): string[] {
  const { severity, code, title, detail, demand, citation, fix } = finding
  return [
    `${severity.toUpperCase()}  ${code}`,
    `  ${title}`,
    ...(detail === '' ? [] : [`  ${visibleLine(detail)}`]),
    ...(isVerbose ? wholeLines(finding) : seenLines(finding)),
    `  Demanded: ${demand}`,
    `    ${citation.name}: ${citation.url}`,
    `  To do: ${fix}`,
    '',
  ]
}

/** The first exchange in a few lines. */
function seenLines({ seen: [first, ...others] }: Finding): string[] {
  if (first === undefined) return []
  const more =
    others.length === 0 ? [] : [`and ${counted(others.length, 'more exchange')}: --verbose shows all`]
  return [...evidenceLines(first), ...more].map((line) => `    ${line}`)
}

function wholeLines({ seen }: Finding): string[] {
  return seen.flatMap((one) => {
    const { request, response } = exchangeText(one)
    return [...marked('>', request), ...marked('<', response), '']
  })
}

function marked(mark: string, text: string): string[] {
  return text.split('\n').map((line) => `    ${mark} ${line}`.trimEnd())
}

function skippedLines(checks: readonly CheckOutcome[]): string[] {
  const reasons = [...skippedByReason(checks)].map(
    ([reason, ids]) =>
      `${ids.length > 3 ? counted(ids.length, 'check') : ids.join(', ')} (${inBrackets(reason)})`,
  )
  return reasons.length === 0 ? [] : [visibleLine(`Not looked at: ${reasons.join('; ')}.`, 4000)]
}

/** A sentence, as it stands between brackets. */
function inBrackets(sentence: string): string {
  return sentence.replace(/\.$/, '').replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase())
}

const marks: Readonly<Record<CheckOutcome['outcome'], string>> = {
  passed: 'ok',
  found: 'found',
  skipped: 'skipped',
}

function checkLine({ id, title, outcome, reason }: CheckOutcome): string {
  const why = reason === undefined ? '' : ` (${reason})`
  return visibleLine(`  ${marks[outcome].padEnd(8)}${id}: ${title}${why}`)
}
