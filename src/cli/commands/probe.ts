import { type Severity, severities } from '../../inspector/probe/finding.ts'
import type { ProbeReport } from '../../inspector/probe/probe-report.ts'
import type { ProbeOptions } from '../../inspector/probe.ts'
import { timeoutOf } from '../arguments.ts'
import { UsageError } from '../command.ts'
import { exitCode, probeExitCodes } from '../exit-codes.ts'
import { localCommand } from '../local-command.ts'
import { printable, printableJson, printableLine } from '../printable.ts'
import { probeTarget } from '../probe/probe-target.ts'
import { checkPlace, writeReport } from '../probe/report-file.ts'
import type { Terminal } from '../terminal.ts'

const usage = 'probe <url or name> [options]'

/** `mcp-bearer probe`: what is wrong with the authentication of a server. */
export const probe = localCommand({
  summary: 'find out what is wrong with the authentication of a server',
  usage,
  about: `Sends a server real requests - without a token, with wrong ones, with yours and with copies
that were tampered with - and says what is not as it should be: what was seen, what the
specification says, how to repair it. Runs no tool. The token goes to this server and nowhere
else; without one, what needs one is left out. The name is one of a configuration, as for
ping, and brings its own token.

  mcp-bearer probe https://mcp.example.com/mcp
  mcp-bearer probe https://mcp.example.com/mcp --auth env:MCP_API_KEY --html report.html
  mcp-bearer probe reports --fail-on serious --json

Exit codes: 0 nothing found, or nothing as bad as --fail-on says; otherwise by the worst
finding: ${probeExitCodes.minor} minor, ${probeExitCodes.serious} serious, ${probeExitCodes.critical} critical (${probeExitCodes.note} note, with --fail-on note).
1 the server does not answer, or nothing could be looked at, 2 the words make no sense,
16 no token comes from where --auth says, 130 interrupted.`,
  optionsHelp: `  --auth WHAT         where a good token comes from:
                        env:NAME         an environment variable
                        file:PATH        a file, such as a mounted secret
                        command:PROGRAM  what a program prints, with its arguments
                        -                standard input
                        TOKEN            the token itself; others on this machine can see it
  --config FILE       where the server of that name is described; otherwise mcp.json,
                      .mcp.json or .vscode/mcp.json in this folder
  --only ID           make this check only; may be repeated
  --fail-on SEVERITY  what is not good any more: critical, serious, minor, note;
                      otherwise minor
  --html FILE         write the report there as well, as one HTML file
  --verbose           show all checks, and every exchange of a finding in full
  --timeout SECONDS   how long to wait for each answer, 0.1 to 120; otherwise 10
  --allow-insecure    DANGER: send the token over plain http to other machines
  --list              print all checks and findings there are`,
  options: {
    auth: { type: 'string' },
    config: { type: 'string' },
    only: { type: 'string', multiple: true },
    'fail-on': { type: 'string' },
    html: { type: 'string' },
    verbose: { type: 'boolean' },
    timeout: { type: 'string' },
    'allow-insecure': { type: 'boolean' },
    list: { type: 'boolean' },
  },
  words: [0, 1],
  async run({ values, words: [target], terminal, signal }) {
    if (values.list) return (await import('../probe/probe-list.ts')).probeList()
    if (target === undefined) throw new UsageError('which server? Give a URL, or a name of the configuration')
    const failOn = severityOf(values['fail-on'])
    if (values.html !== undefined) await checkPlace(values.html)
    const { timeout, auth, config, only } = values
    const options: ProbeOptions = {
      signal,
      allowInsecure: values['allow-insecure'] === true,
      ...(timeout !== undefined && { timeoutMs: patienceOf(timeout) }),
      ...(only && { only }),
    }
    const { url, token } = await probeTarget({ target, auth, config }, terminal, signal)
    const report = await watched(url, { ...options, ...(token !== undefined && { token }) }, terminal)
    signal.throwIfAborted()
    await show(report, values, terminal)
    return exitFor(report, failOn)
  },
})

function severityOf(text = 'minor'): Severity {
  const severity = severities.find((one) => one === text)
  if (severity === undefined) throw new UsageError(`--fail-on must be one of ${severities.join(', ')}`)
  return severity
}

/** Milliseconds. Shorter, every server is away; longer, a person goes away. */
function patienceOf(seconds: string): number {
  const timeout = timeoutOf(seconds, `Usage: mcp-bearer ${usage}`)
  if (timeout < 100 || timeout > 120_000) throw new UsageError('--timeout must be from 0.1 to 120 seconds')
  return timeout
}

/** Probes, and shows how far it is. */
async function watched(url: string, options: ProbeOptions, terminal: Terminal): Promise<ProbeReport> {
  const { probe } = await import('../../inspector/probe.ts')
  try {
    return await probe(url, {
      ...options,
      onStep: (step) => {
        if (step.kind === 'begins')
          terminal.progress(printableLine(`check ${step.done + 1} of ${step.of}: ${step.title}`, 78))
      },
    })
  } finally {
    terminal.progress('')
  }
}

async function show(
  report: ProbeReport,
  { json, verbose, html }: { readonly json?: boolean; readonly verbose?: boolean; readonly html?: string },
  terminal: Terminal,
): Promise<void> {
  const { reportLines } = await import('../../inspector/report/text.ts')
  if (json) terminal.line(printableJson(report))
  else {
    for (const line of reportLines(report, { isVerbose: verbose === true })) {
      terminal.line(styled(printable(line), terminal))
    }
  }
  if (html === undefined) return
  const { htmlReport } = await import('../../inspector/report/html.ts')
  await writeReport(html, htmlReport(report))
  terminal.note(`mcp-bearer: the report is in ${printableLine(html, 500)}`)
}

function styled(line: string, terminal: Terminal): string {
  if (/^(?:CRITICAL|SERIOUS) {2}/.test(line)) return terminal.style('red', line)
  return /^(?:MINOR|NOTE) {2}/.test(line) ? terminal.style('bold', line) : line
}

function exitFor({ worst, checks }: ProbeReport, failOn: Severity): number {
  // Where nothing could be looked at, nothing is known to be well.
  if (checks.every(({ outcome }) => outcome === 'skipped')) return exitCode.failed
  if (worst === undefined || severities.indexOf(worst) > severities.indexOf(failOn)) return exitCode.ok
  return probeExitCodes[worst]
}
