// The results, as tables for people and as plain values for programs.
import { revisions as titlesOfRevisions } from '../server/requests.mjs'
import { loads, remarks, revisions, ruleCounts, streams, titles, wantedMicros } from './plan.mjs'
import { callsOf, differenceOf, find, medianOf, ratioOf } from './rounds.mjs'

const connectionsText = (load) => (load === 1 ? '1 connection' : `${load} connections`)

/** Every cell as one plain value. */
export function plainCells(cells) {
  return cells.map((one) => ({
    ...one.names,
    calls: callsOf(one),
    cpuMicros: medianOf(one, 'cpu', 1),
    callsPerSecond: medianOf(one, 'rate', 1),
    p50Ms: medianOf(one, 'p50', 3),
    p99Ms: medianOf(one, 'p99', 3),
    ...(one.samples[0].cpuPerMB !== undefined && {
      cpuMicrosPerMB: medianOf(one, 'cpuPerMB'),
      megabytesPerSecond: medianOf(one, 'megabytesPerSecond', 1),
    }),
  }))
}

/** What was wanted: `{ name, measured, wanted, timesPipe, met }`. */
export function goalsOf({ http }) {
  if (!http) return []
  return revisions.flatMap((revision) =>
    ['keys', 'jwt'].flatMap((row) =>
      loads.map((load) => {
        const one = find(http.cells, { row, revision, load })
        const measured = medianOf(one, 'cpu')
        const timesPipe = ratioOf(one, find(http.cells, { row: 'pipe', revision, load }))
        const name = `${titlesOfRevisions[revision].title}, ${row === 'keys' ? 'API keys' : 'JWT'}, ${connectionsText(load)}`
        return { name, measured, wanted: wantedMicros, timesPipe, met: measured <= wantedMicros }
      }),
    ),
  )
}

export const printers = {
  http(cells) {
    for (const revision of revisions) {
      for (const load of loads) {
        heading(`HTTP in front of HTTP, ${titlesOfRevisions[revision].title}, ${connectionsText(load)}`)
        const at = (row) => find(cells, { row, revision, load })
        const line = (row) => ({
          'CPU µs of it per call': medianOf(at(row), 'cpu'),
          'times pipe': row === 'direct' ? '–' : ratioOf(at(row), at('pipe')),
          'times the echo server': ratioOf(at(row), at('direct')),
          ...latency(at(row), at('direct')),
          'calls/s': medianOf(at(row), 'rate'),
        })
        console.table(tableOf(['direct', 'pipe', 'keys', 'jwt'], line))
      }
    }
    console.log(`  direct: the CPU time is that of the echo server. ${remarks.http}`)
  },
  stdio(cells) {
    for (const load of loads) {
      heading(`HTTP in front of stdio, in a session, ${connectionsText(load)}`)
      const at = (row) => find(cells, { row, load })
      const rows = ['direct', 'ours', 'supergateway', 'mcp-proxy'].filter(at)
      const line = (row) => ({
        'CPU µs of it per call': medianOf(at(row), 'cpu'),
        'times ours': row === 'direct' ? '–' : ratioOf(at(row), at('ours')),
        ...latency(at(row), at('direct')),
        'calls/s': medianOf(at(row), 'rate'),
      })
      console.table(tableOf(rows, line))
    }
    console.log(`  direct: over its pipes, without HTTP. ${remarks.stdio}`)
  },
  streams(cells) {
    for (const stream of Object.keys(streams)) {
      heading(`One call that answers with ${stream}`)
      const rows = [...new Set(cells.map(({ names }) => names.row))]
      const at = (row) => find(cells, { row, stream })
      const line = (row) => ({
        'MB/s': medianOf(at(row), 'megabytesPerSecond'),
        'times direct': ratioOf(at(row), at(`${row.split(',')[0]}, direct`), 'megabytesPerSecond'),
        'CPU µs of it per MB': medianOf(at(row), 'cpuPerMB'),
      })
      console.table(Object.fromEntries(rows.map((row) => [row, line(row)])))
    }
  },
  connect(cells) {
    for (const load of loads) {
      heading(`stdio in front of HTTP, ${load === 1 ? 'one call' : `${load} calls`} at a time`)
      const at = (row) => find(cells, { row, load })
      const line = (row) => ({
        'CPU µs of it per call': medianOf(at(row), 'cpu'),
        'times ours': ratioOf(at(row), at('connect')),
        'p50 ms': medianOf(at(row), 'p50', 2),
        'p99 ms': medianOf(at(row), 'p99', 2),
        'calls/s': medianOf(at(row), 'rate'),
      })
      console.table(tableOf(['connect', 'supergateway'].filter(at), line))
    }
    console.log(`  ${remarks.connect}`)
  },
  growth(cells) {
    heading('CPU µs of the gateway per call over HTTP, by sessions that take turns (times one)')
    const withSessions = cells.filter(({ names }) => names.sessions)
    console.table({ sessions: grown(withSessions, ({ names }) => names.sessions) })
    heading('By rules of the policy; a list of 1,000 tools is filtered to 112 of them (times none)')
    console.table({
      'tools/call': grown(rulesOf(cells, 'call'), ({ names }) => names.rules),
      'tools/list': grown(rulesOf(cells, 'list'), ({ names }) => names.rules),
    })
    const direct = find(cells, { rules: 'direct', what: 'list' })
    const plain = find(cells, { rules: 0, what: 'list' })
    console.log(
      `  tools/list without a policy: ${ratioOf(plain, direct)} times the CPU time of the echo server`,
    )
  },
}

function heading(text) {
  console.log(`\n${text}`)
}

const tableOf = (rows, line) => Object.fromEntries(rows.map((row) => [titles[row], line(row)]))

function latency(one, direct) {
  const isDirect = one === direct
  return {
    'p50 ms': medianOf(one, 'p50', 2),
    'p99 ms': medianOf(one, 'p99', 2),
    'p50 added': isDirect ? '–' : differenceOf(one, direct, 'p50'),
    'p99 added': isDirect ? '–' : differenceOf(one, direct, 'p99'),
  }
}

const rulesOf = (cells, what) =>
  ruleCounts.map((rules) => find(cells, { rules, what })).filter((one) => one !== undefined)

function grown(list, nameOf) {
  return Object.fromEntries(
    list.map((one) => [`${nameOf(one)}`, `${medianOf(one, 'cpu')} (${ratioOf(one, list[0])})`]),
  )
}

export function printGoals(goals) {
  heading(
    `Wanted: at most ${wantedMicros} µs CPU of the gateway per call that it passes on over HTTP (printed, not judged)`,
  )
  const lines = goals.map(({ name, measured, timesPipe, met }) => [
    name,
    { 'CPU µs': measured, 'times pipe': timesPipe, verdict: met ? 'met' : 'missed' },
  ])
  console.table(Object.fromEntries(lines))
}
