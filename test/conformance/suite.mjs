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
/** A client is a process of its own, and a set starts all of them at once: on two busy cores 30 seconds are few. */
const patience = ['--timeout', '120000']

/**
 * Finds the suite.
 *
 * @throws Error when it is not installed
 * @returns its `version`, and what it can do
 */
export function officialSuite() {
  const { version, node, cli } = readInstalled()
  const run = (leg, args, signal) => runCli({ node, cli, leg }, args, signal)
  return {
    version,
    /** The scenarios of a set for one leg, `server` or `client`: `{ scored: [name], unscored: [{ name, reason }] }`. */
    requirements(set, leg) {
      const path = join(dirname(cli), '../requirements', `${set}.yaml`)
      const { parse } = createRequire(cli)('yaml')
      const { [leg]: scored, not_scored: rest } = parse(readFileSync(path, 'utf8'))
      const unscored = rest.filter((one) => one.leg === leg)
      return { scored, unscored: unscored.map(({ scenario, reason }) => ({ name: scenario, reason })) }
    },
    /** Runs a set against a server. Resolves to `checks`, those of each scenario by its name, and the exit `code`. */
    runSet: (set, url, signal) => run('server', ['--url', url, '--requirements', set], signal),
    /** Runs one scenario as the set does. */
    runScenario: (name, set, url, signal) =>
      run('server', ['--url', url, '--scenario', name, '--spec-version', set], signal),
    /** Runs a set with a client, which is started anew for each scenario. */
    runClientSet: (set, command, signal) =>
      run('client', ['--command', command, '--requirements', set, ...patience], signal),
    /** Runs one scenario with a client, whatever the set. */
    runClientScenario: (name, command, signal) =>
      run('client', ['--command', command, '--scenario', name, ...patience], signal),
  }
}

function readInstalled() {
  try {
    return JSON.parse(readFileSync(installed, 'utf8'))
  } catch (cause) {
    throw new Error('the suite is not there: node tools/install-conformance.mjs', { cause })
  }
}

async function runCli({ node, cli, leg }, args, signal) {
  const results = mkdtempSync(join(tmpdir(), 'mcp-conformance-'))
  try {
    const code = await ended(
      spawn(node, [cli, leg, ...args, '-o', results], {
        // What the client leg says about the shell it starts clients with is no news.
        stdio: ['ignore', 'ignore', leg === 'server' ? 'inherit' : 'ignore'],
        timeout: setMs,
        signal,
      }),
    )
    return { code, checks: readResults(results, leg === 'server' ? 'server-' : '') }
  } finally {
    rmSync(results, { recursive: true, force: true })
  }
}

/** 1 is the suite's word for a failed check, which the results name. */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0 || code === 1) resolve(code)
      else reject(new Error(`the suite ended with ${signal ?? code}`))
    })
  })
}

/** One folder a scenario, `server-<name>-<time>` or `<name>-<time>`; a name may hold slashes. */
function readResults(folder, prefix) {
  const found = new Map()
  for (const file of readdirSync(folder, { recursive: true })) {
    const path = /^(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(file)?.[1]
    if (path?.startsWith(prefix))
      found.set(path.slice(prefix.length), readChecks(join(folder, file, 'checks.json')))
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
