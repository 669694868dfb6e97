/** The client leg: the program `client.mjs`, bundled into one file, plays the scenarios of both sets. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { scenariosOf } from './results.mjs'

const program = fileURLToPath(new URL('./client.mjs', import.meta.url))

/** H-06, E-73: authorization extensions this package implements, not scored, and held to the same. */
const extensions = [
  'auth/client-credentials-jwt',
  'auth/client-credentials-basic',
  'auth/enterprise-managed-authorization',
  'auth/wif-jwt-bearer',
  'auth/dpop',
  'auth/dpop-nonce',
]

/**
 * @param suite what `officialSuite` gives
 * @param sets the names of the sets
 * @param signal ends it
 * @returns a run for each set, with the exit `code` of the suite; those of the extensions are `required` in each
 */
export async function runClientLeg(suite, sets, signal) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-conformance-client-'))
  try {
    const command = `"${process.execPath}" "${await bundle(folder)}"`
    const runs = []
    for (const set of sets) {
      if (process.stderr.isTTY) process.stderr.write(`${set}, client …\n`)
      const { code, checks } = await suite.runClientSet(set, command, signal)
      const scenarios = scenariosOf(suite.requirements(set, 'client'), checks)
      runs.push({ set, variant: 'client', code, scenarios: scenarios.map(required) })
    }
    return { runs, extensions: await runExtensions(suite, command, signal) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const required = (scenario) => ({
  ...scenario,
  required: scenario.scored || extensions.includes(scenario.name),
})

/** Once more, one by one: the exit code of a set says nothing of what is not scored, and the program may fail silently. */
async function runExtensions(suite, command, signal) {
  const found = []
  for (const name of extensions) {
    const { code } = await suite.runClientScenario(name, command, signal)
    found.push({ name, passed: code === 0 })
  }
  return found
}

async function bundle(folder) {
  const file = join(folder, 'client.mjs')
  const built = await rolldown({ input: program, platform: 'node', external: /^node:/, logLevel: 'silent' })
  await built.write({ file, format: 'esm', codeSplitting: false })
  await built.close()
  return file
}
