// What grows with the number of sessions, of rules, and of tools.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepared, sender } from './calls.mjs'
import { ruleCounts } from './plan.mjs'
import { startEcho, startProtect } from './programs.mjs'
import { cell, overConnections } from './rounds.mjs'
import { toolCount } from './targets/answers.mjs'

const load = 8
/** Of the 1,000 tools those a policy lets through: `tool_0`, and all whose number begins with 1. */
const visible = 1 + Array.from({ length: toolCount }, (_, n) => `${n}`).filter((n) => n[0] === '1').length

/** @returns `{ cells, measured, behind }`, as in `over-http.mjs` */
export async function growthPart({ keys: { words, token } }, folder, { sessionCounts }) {
  const echo = await startEcho(folder)
  const gateways = await Promise.all(
    ruleCounts.map(async (rules) => {
      const own = rules === 0 ? [] : ['--config', policyFile(rules, folder)]
      return { rules, program: await startProtect([echo.url, ...words, ...own], folder) }
    }),
  )
  const [{ program: plain }] = gateways
  const cells = []
  const add = (names, program, list) => cells.push(cell(names, program, overConnections(load, sender(list))))
  const sessions = await openSessions(plain, token, Math.max(...sessionCounts))
  for (const count of sessionCounts) add({ sessions: count }, plain, sessions.slice(0, count))
  for (const { rules, program } of gateways) {
    add({ rules, what: 'call' }, program, [await prepared(program, { revision: 'stateless', token })])
  }
  for (const { rules, program } of gateways) {
    const tools = rules === 0 ? toolCount : visible
    const list = { revision: 'stateless', operation: 'list', token, tools }
    add({ rules, what: 'list' }, program, [await prepared(program, list)])
  }
  add({ rules: 'direct', what: 'list' }, echo, [
    await prepared(echo, { revision: 'stateless', operation: 'list' }),
  ])
  return { cells, measured: gateways.map(({ program }) => program), behind: [echo] }
}

/** Some at a time. */
async function openSessions(program, token, count) {
  const list = []
  while (list.length < count) {
    const amount = Math.min(20, count - list.length)
    const opened = Array.from({ length: amount }, () => prepared(program, { revision: 'session', token }))
    list.push(...(await Promise.all(opened)))
  }
  return list
}

/** The rule that fits is the last one. YAML holds JSON. */
function policyFile(count, folder) {
  const others = Array.from({ length: count - 1 }, (_, n) => ({
    name: `rule ${n}`,
    who: { scopes: [`scope:${n}`] },
    tools: [`other_${n}_*`],
  }))
  const last = { name: 'last', who: { subjects: ['*'] }, tools: ['tool_0', 'tool_1*'] }
  const file = join(folder, `policy-${count}.yaml`)
  writeFileSync(file, JSON.stringify({ policy: { default: 'deny', rules: [...others, last] } }))
  return file
}
