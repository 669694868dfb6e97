/** The official suite, as `tools/install-conformance.mjs` installed it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const installed = fileURLToPath(new URL('../../.conformance/suite.json', import.meta.url))
/** The suite gives a scenario 30 seconds; a whole set takes ten. */
const setMs = 300_000

/**
 * Finds the suite.
 *
 * @throws Error when it is not installed
 * @returns its `version`, and what it can do
 */
export function officialSuite() {
  const { version, node, cli } = readInstalled()
  const run = (args, signal) => runCli(node, cli, args, signal)
  return {
    version,
    /** The server scenarios of a set: `{ scored: [name], unscored: [{ name, reason }] }`. */
    requirements(set) {
      const path = join(dirname(cli), '../requirements', `${set}.yaml`)
      const { parse } = createRequire(cli)('yaml')
      const { server, not_scored: rest } = parse(readFileSync(path, 'utf8'))
      const unscored = rest.filter(({ leg }) => leg === 'server')
      return {
        scored: server,
        unscored: unscored.map(({ scenario, reason }) => ({ name: scenario, reason })),
      }
    },
    /** Runs a set against a server. Resolves to the checks of each scenario, by its name. */
    runSet: (set, url, signal) => run(['--url', url, '--requirements', set], signal),
    /** Runs one scenario as the set does. */
    runScenario: (name, set, url, signal) =>
      run(['--url', url, '--scenario', name, '--spec-version', set], signal),
  }
}

function readInstalled() {
  try {
    return JSON.parse(readFileSync(installed, 'utf8'))
  } catch (cause) {
    throw new Error('the suite is not there: node tools/install-conformance.mjs', { cause })
  }
}

async function runCli(node, cli, args, signal) {
  const results = mkdtempSync(join(tmpdir(), 'mcp-conformance-'))
  try {
    await ended(
      spawn(node, [cli, 'server', ...args, '-o', results], {
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: setMs,
        signal,
      }),
    )
    return readResults(results)
  } finally {
    rmSync(results, { recursive: true, force: true })
  }
}

/** 1 is the suite's word for a failed check, which the results name. */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0 || code === 1) resolve()
      else reject(new Error(`the suite ended with ${signal ?? code}`))
    })
  })
}

/** One folder a scenario, `server-<name>-<time>`. */
function readResults(folder) {
  const found = new Map()
  for (const entry of readdirSync(folder)) {
    const name = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(entry)?.[1]
    if (name !== undefined) found.set(name, readChecks(join(folder, entry, 'checks.json')))
  }
  return found
}

/** A scenario that broke off has left no checks: then there is nothing that passed. */
function readChecks(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
