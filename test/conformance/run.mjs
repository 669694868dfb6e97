// The official conformance suite against a server and a client made of the built package, both requirement sets: the
// server without protection, behind a token, and without the fast lane, which may make no difference; the same server
// behind a gateway, at a URL, which may make none either, and as a command, which must lose no scenario; the client also
// in the authorization extensions. Scored scenarios must pass; there is no list of expected failures.
//
//   node tools/install-conformance.mjs        once
//   node test/conformance/run.mjs             a table; exit code 1 when anything that counts fails
//   node test/conformance/run.mjs --json      for programs
import { runClientLeg } from './client-leg.mjs'
import { gatewayFixture, guardedFixture, openFixture } from './fixture.mjs'
import { table } from './report.mjs'
import { differences, scenariosOf } from './results.mjs'
import { officialSuite } from './suite.mjs'

const sets = ['2025-11-25', '2026-07-28']
const json = process.argv.includes('--json')

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interrupted.abort())
const { signal } = interrupted

const suite = officialSuite()
try {
  const open = await runOpen('open', [])
  const guarded = await runGuarded()
  const slow = await runOpen('slow lane', ['--slow'])
  const gateway = await runFixture(gatewayFixture('http', signal), 'gateway')
  const command = await runFixture(gatewayFixture('stdio', signal), 'gateway, stdio')
  const client = await runClientLeg(suite, sets, signal)
  const report = makeReport({ open, guarded, slow, gateway, command, client })
  console.log(json ? JSON.stringify(report, null, 2) : table(report))
  process.exitCode = report.passed ? 0 : 1
} catch (error) {
  if (!signal.aborted) throw error
  console.error('conformance: interrupted')
  process.exitCode = 1
}

function runOpen(variant, args) {
  return runFixture(openFixture(args, signal), variant)
}

async function runFixture(opening, variant) {
  const fixture = await opening
  try {
    return await runSets(fixture.url, variant)
  } finally {
    await fixture.close()
  }
}

async function runGuarded() {
  const fixture = await guardedFixture(signal)
  try {
    const statusWithoutToken = await fixture.statusWithoutToken()
    const runs = await runSets(fixture.url, 'token')
    const rebinding = []
    for (const set of sets) rebinding.push(await runRebinding(fixture, set))
    return { statusWithoutToken, runs, rebinding }
  } finally {
    await fixture.close()
  }
}

async function runSets(url, variant) {
  const runs = []
  for (const set of sets) {
    if (process.stderr.isTTY) process.stderr.write(`${set}, ${variant} …\n`)
    const found = await suite.runSet(set, url, signal)
    runs.push({ set, variant, scenarios: scenariosOf(suite.requirements(set, 'server'), found.checks) })
  }
  return runs
}

/** Who comes with a foreign Host or Origin must not reach the verifier; everybody else must (H-04). */
async function runRebinding(fixture, set) {
  const [before, verifiedBefore] = [fixture.requests(), await fixture.verified()]
  await suite.runScenario('dns-rebinding-protection', set, fixture.url, signal)
  const [after, verifiedAfter] = [fixture.requests(), await fixture.verified()]
  const own = after.own - before.own
  const foreign = after.foreign - before.foreign
  const verified = verifiedAfter - verifiedBefore
  return { set, own, foreign, verified, passed: foreign > 0 && own > 0 && verified === own }
}

function makeReport({ open, guarded, slow, gateway, command, client }) {
  const { statusWithoutToken, rebinding } = guarded
  const runs = [...open, ...guarded.runs, ...slow, ...gateway, ...command]
  const comparisons = [...guarded.runs, ...slow, ...gateway].map(({ set, variant, scenarios }) => {
    const plain = open.find((run) => run.set === set).scenarios
    const compared = plain.flatMap(({ statuses }) => Object.keys(statuses)).length
    return { set, variant, compared, differences: differences(plain, scenarios) }
  })
  const losses = command.map((run) => lossesOf(open, run))
  const passed =
    losses.every(({ lost }) => lost.length === 0) &&
    runs.every(({ scenarios }) => scenarios.every(({ scored, passed }) => !scored || passed)) &&
    comparisons.every(({ differences: found }) => found.length === 0) &&
    rebinding.every((one) => one.passed) &&
    statusWithoutToken === 401 &&
    client.runs.every(({ code }) => code === 0) &&
    client.runs.every(({ scenarios }) => scenarios.every(({ required, passed }) => !required || passed)) &&
    client.extensions.every((one) => one.passed)
  return {
    suite: suite.version,
    node: process.version,
    passed,
    statusWithoutToken,
    runs,
    comparisons,
    losses,
    rebinding,
    client,
  }
}

/**
 * What a command cannot do that a server at a URL can: close a stream in the middle of an answer and go on in another,
 * and see the headers of a request. So single checks differ; a scenario that passed may not fail.
 */
function lossesOf(open, { set, variant, scenarios }) {
  const plain = open.find((run) => run.set === set).scenarios
  const isLost = ({ name, scored, passed }) => scored && passed && !passedIn(scenarios, name)
  return {
    set,
    variant,
    lost: plain.filter(isLost).map(({ name }) => name),
    differences: differences(plain, scenarios),
  }
}

function passedIn(scenarios, name) {
  return scenarios.some((one) => one.name === name && one.passed)
}
