// What is wanted, beside what was measured. Printed, not judged: a slow machine is no broken build.
import { cpuRatio, keyOf } from './cpu.mjs'
import { revisions } from './requests.mjs'

/** The most that is wanted. */
const wanted = {
  toEcho: { stateless: 2, modern: 2.5 },
  toTmcp: 0.25,
  listToCall: 1.5,
  thousandToOne: 1.05,
  tokenToOpen: 1.1,
  memoryMB: 25,
  // 200 ms on a machine where the echo takes 125.
  firstAnswerToEcho: 200 / 125,
}

/**
 * @param results `{ cells, coldStart, memory }`, each may be missing
 * @returns `{ name, measured, wanted, met }` each; `measured` and `met` are `undefined` for what was not measured
 */
export function goalsOf({ cells, coldStart, memory }) {
  return [
    ...(cells ? cpuGoals(cells) : []),
    ...(memory
      ? [goal('idle memory above bare node:http, MB', ours(memory)?.aboveEchoMB, wanted.memoryMB)]
      : []),
    ...(coldStart
      ? [goal('first answer / echo, from process start', ours(coldStart)?.toEcho, wanted.firstAnswerToEcho)]
      : []),
  ]
}

const ours = (list) => list.find(({ row }) => row === 'ours')

function goal(name, measured, atMost) {
  return { name, measured, wanted: atMost, met: measured === undefined ? undefined : measured <= atMost }
}

function cpuGoals(cells) {
  const cell = (row, revision, operation, tools) => cells.get(keyOf({ row, revision, operation, tools }))
  const call = (row, revision, tools = 1) => cell(row, revision, 'call', tools)
  const inBoth = (name, ratioIn, atMost) =>
    ['stateless', 'modern'].map((revision) =>
      goal(`${revisions[revision].title}: ${name}`, ratioIn(revision), atMost[revision] ?? atMost),
    )
  return [
    ...inBoth(
      'tools/call / echo',
      (revision) =>
        cpuRatio(call('ours', revision), cells.get(keyOf({ row: 'echo', revision, operation: 'call' }))),
      wanted.toEcho,
    ),
    ...inBoth(
      'tools/call / tmcp',
      (revision) => cpuRatio(call('ours', revision), call('tmcp', revision)),
      wanted.toTmcp,
    ),
    ...inBoth(
      'tools/list of 100 / tools/call',
      (revision) => cpuRatio(cell('ours', revision, 'list', 100), call('ours', revision)),
      wanted.listToCall,
    ),
    ...inBoth(
      'tools/call, 1,000 tools / 1',
      (revision) => cpuRatio(call('ours', revision, 1000), call('ours', revision)),
      wanted.thousandToOne,
    ),
    ...inBoth(
      'tools/call, with a token / without auth',
      (revision) => cpuRatio(call('ours', revision), call('open', revision)),
      wanted.tokenToOpen,
    ),
  ]
}
