/** The report of `run.mjs` for people. */

/** @param report what `run.mjs --json` prints */
export function table(report) {
  const lines = [`Official conformance suite ${report.suite}, server leg`, '', ...scenarioLines(report), '']
  const known = new Set()
  lines.push(...report.runs.flatMap((run) => problemLines(run, known)), '')
  for (const run of report.runs) lines.push(summaryLine(run))
  for (const { set, variant, compared, differences } of report.comparisons) {
    const verdict = differences.length === 0 ? 'the same result' : `${differences.length} DIFFERENCES`
    lines.push(`${set}, open and ${variant}: ${compared} checks, ${verdict}`)
    lines.push(...differences.map((difference) => `  ${difference}`))
  }
  for (const { set, variant, lost, differences } of report.losses) {
    const verdict = lost.length === 0 ? 'no scenario is lost' : `LOST: ${lost.join(', ')}`
    lines.push(`${set}, open and ${variant}: ${verdict}; ${differences.length} checks differ`)
    lines.push(...differences.map((difference) => `  ${difference}`))
  }
  for (const { set, foreign, own, verified, passed } of report.rebinding) {
    const counted = `${foreign} with a foreign Host and Origin, ${own} others, verifier asked ${verified} times`
    lines.push(
      `${set}, dns-rebinding-protection with a token: ${counted}: ${passed ? 'as it must' : 'WRONG'}`,
    )
  }
  lines.push(`Without the token: ${report.statusWithoutToken}`, '')
  lines.push(...clientLines(report.client), '', report.passed ? 'PASSED' : 'FAILED')
  return lines.join('\n')
}

function clientLines({ runs, extensions }) {
  const known = new Set()
  const failed = extensions.filter(({ passed }) => !passed).map(({ name }) => name)
  return [
    'Client leg',
    '',
    ...scenarioLines({ runs }),
    '',
    ...runs.flatMap((run) => problemLines(run, known)),
    ...runs.map((run) => `${summaryLine(run)}; exit code ${run.code}`),
    `Authorization extensions: ${failed.length === 0 ? `all ${extensions.length} pass` : `FAILED: ${failed.join(', ')}`}`,
  ]
}

/** A line a scenario, a column a run. */
function scenarioLines({ runs }) {
  const scenarios = new Map()
  for (const run of runs) for (const scenario of run.scenarios) scenarios.set(scenario.name, scenario)
  const width = Math.max(...[...scenarios.keys()].map((name) => name.length)) + 2
  const line = (first, cells) =>
    `${first.padEnd(width)}${cells.map((cell) => cell.padEnd(16)).join('')}`.trimEnd()
  const rows = (scored) =>
    [...scenarios.values()]
      .filter((scenario) => scenario.scored === scored)
      .map(({ name }) =>
        line(
          name,
          runs.map((run) => cellOf(run.scenarios.find((one) => one.name === name))),
        ),
      )
  return [
    line(
      '',
      runs.map(({ set }) => set),
    ),
    line(
      '',
      runs.map(({ variant }) => variant),
    ),
    ...rows(true),
    '',
    'Not scored',
    ...rows(false),
  ]
}

/** How many checks passed; of how many, where some did not. */
function cellOf(scenario) {
  if (scenario === undefined) return '-'
  const { passed, succeeded, failed, warned, skipped } = scenario
  const all = succeeded + failed
  const remarks = `${warned > 0 ? ` ${warned}w` : ''}${skipped > 0 ? ` ${skipped}s` : ''}`
  const verdict = passed ? 'ok' : failed > 0 ? 'FAIL' : 'none'
  return `${verdict} ${failed > 0 ? `${succeeded}/${all}` : succeeded}${remarks}`
}

/** Scored scenarios in full; of the others the first problem, for an extension that is not there fails in every check. */
function problemLines({ set, variant, scenarios }, known) {
  const lines = []
  for (const { name, scored, problems } of scenarios) {
    const shown = scored ? problems : problems.slice(0, 1)
    for (const { status, id, check, message } of shown) {
      const line = `${name}: ${status} ${id} (${check}): ${brief(message)}`
      if (!known.has(`${set} ${line}`)) lines.push(`${set} ${variant} ${line}`)
      known.add(`${set} ${line}`)
    }
  }
  return lines
}

function brief(message = '') {
  const line = message.replaceAll(/\s+/g, ' ')
  return line.length > 300 ? `${line.slice(0, 300)} …` : line
}

function summaryLine({ set, variant, scenarios }) {
  const scored = scenarios.filter((scenario) => scenario.scored)
  const sum = (list, member) => list.reduce((total, scenario) => total + scenario[member], 0)
  const passed = scored.filter((scenario) => scenario.passed).length
  const succeeded = sum(scored, 'succeeded')
  const checks = `${succeeded} of ${succeeded + sum(scored, 'failed')} checks, ${sum(scored, 'warned')} warnings`
  return `${set}, ${variant}: ${passed} of ${scored.length} scored scenarios pass; ${checks}`
}
