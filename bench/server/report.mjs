// The results, as tables for people and as plain values for programs.
import { cpuRatio, keyOf, medianOf } from './cpu.mjs'
import { notOffered, rows } from './plan.mjs'
import { operations, revisions } from './requests.mjs'
import { round } from './statistics.mjs'

const toolCounts = [1, 10, 100, 1000]

/** Every cell as one plain value, its ratios to the echo and to the same cell of `mcp-bearer, RS256` with it. */
export function plainCells(cells) {
  return [...cells.values()].map((cell) => {
    const { row, revision, operation, tools } = cell
    return {
      server: rows[row].title,
      revision: revisions[revision].title,
      operation: operations[operation].method,
      ...(tools && { tools }),
      processes: cell.processes.length,
      cpuMicrosPerRequest: round(medianOf(cell, 'cpu'), 1),
      toEcho: cpuRatio(cell, echoCell(cells, revision)),
      toMcpBearer: cpuRatio(cell, cells.get(keyOf({ row: 'ours', revision, operation, tools }))),
      requestsPerSecond: round(medianOf(cell, 'rps')),
      p50Ms: round(medianOf(cell, 'p50'), 2),
      p99Ms: round(medianOf(cell, 'p99'), 2),
    }
  })
}

/** It does not look at what it reads; in a session the request is that of the same revision. */
function echoCell(cells, revision) {
  const sameVersion = revision === 'modern' ? 'modern' : 'stateless'
  return cells.get(keyOf({ row: 'echo', revision: sameVersion, operation: 'call' }))
}

/** One table for each revision: rows are servers, columns are operations. */
export function printCpu(cells, skipped, isThere) {
  for (const [revision, { title }] of Object.entries(revisions)) {
    console.log(`\n${title}: CPU µs per request (times the echo)`)
    const reasons = new Set()
    const table = {}
    for (const row of Object.keys(rows).filter((name) => isThere(name))) {
      const line = lineOf(cells, row, revision)
      if (line) table[rows[row].title] = line
      const reason = line ? undefined : (skipped[`${row} ${revision}`] ?? notOffered[`${row} ${revision}`])
      if (reason) reasons.add(`  not in the table: ${rows[row].title}: ${reason}`)
    }
    console.table(table)
    for (const reason of reasons) console.log(reason)
  }
  printGrowth(cells)
}

function lineOf(cells, row, revision) {
  const echo = echoCell(cells, revision)
  if (row === 'echo') return echo && { 'tools/call': inMicros(echo), 'calls/s': round(medianOf(echo, 'rps')) }
  const at = (operation, tools) => cells.get(keyOf({ row, revision, operation, tools }))
  const [call, list, read] = [at('call', 1), at('list', 100), at('read', 1)]
  if (!call) return undefined
  const cellText = (cell) => (cell ? `${inMicros(cell)} (${cpuRatio(cell, echo)?.toFixed(2) ?? '–'})` : '–')
  return {
    'tools/call': cellText(call),
    'tools/list, 100 tools': cellText(list),
    'resources/read': cellText(read),
    'calls/s': round(medianOf(call, 'rps')),
    'call p50 ms': round(medianOf(call, 'p50'), 2),
    'call p99 ms': round(medianOf(call, 'p99'), 2),
  }
}

const inMicros = (cell) => round(medianOf(cell, 'cpu'))

function printGrowth(cells) {
  console.log(`\n${rows.ours.title}: CPU µs per tools/call by registered tools (times one tool)`)
  const table = {}
  for (const revision of ['stateless', 'modern']) {
    const at = (tools) => cells.get(keyOf({ row: 'ours', revision, operation: 'call', tools }))
    table[revisions[revision].title] = Object.fromEntries(
      toolCounts
        .filter((tools) => at(tools))
        .map((tools) => [
          `${tools}`,
          `${inMicros(at(tools))} (${cpuRatio(at(tools), at(1))?.toFixed(3) ?? '–'})`,
        ]),
    )
  }
  console.table(table)
}

/** Tables of cold starts and of memory: rows are servers. */
export function printRows(title, list) {
  console.log(`\n${title}`)
  console.table(Object.fromEntries(list.map(({ row, ...figures }) => [rows[row].title, figures])))
}

export function printGoals(goals) {
  console.log('\nWanted, at most (printed, not judged)')
  const lines = goals.map(({ name, measured, wanted, met }) => {
    const verdict = met === undefined ? 'not measured' : met ? 'met' : 'missed'
    return [name, { measured: measured ?? '–', wanted, verdict }]
  })
  console.table(Object.fromEntries(lines))
}
