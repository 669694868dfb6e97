// HTTP in front of HTTP, HTTP in front of stdio, and how both pass streams on.
import { assertRefuses, prepared, sender, streamSender } from './calls.mjs'
import { lineClient } from './lines.mjs'
import { loads, revisions, streams } from './plan.mjs'
import {
  isInstalled,
  startEcho,
  startOther,
  startPipe,
  startProtect,
  stdioCommand,
  stdioPrograms,
} from './programs.mjs'
import { cell, overConnections } from './rounds.mjs'

/** @returns `{ cells, measured, behind }`: cells to take turns, the programs whose CPU time counts, and the others */
export async function httpPart({ keys, jwt }, folder) {
  const echo = await startEcho(folder)
  const [pipe, withKeys, withJwt] = await Promise.all([
    startPipe(echo.url, folder),
    startProtect([echo.url, ...keys.words], folder),
    startProtect([echo.url, ...jwt.words], folder),
  ])
  const rows = {
    direct: { program: echo },
    pipe: { program: pipe },
    keys: { program: withKeys, token: keys.token },
    jwt: { program: withJwt, token: jwt.token },
  }
  for (const { program, token } of [rows.keys, rows.jwt]) await assertRefuses(program, token)
  const cells = []
  for (const revision of revisions) {
    for (const load of loads) {
      for (const [row, { program, token }] of Object.entries(rows)) {
        const send = sender([await prepared(program, { revision, token })])
        cells.push(cell({ row, revision, load }, program, overConnections(load, send)))
      }
    }
  }
  const measured = [rows.pipe, rows.keys, rows.jwt].map(({ program }) => program)
  return { cells, measured, behind: [echo] }
}

/** All in a session, which has a process of its own with `protect` and `supergateway`. */
export async function stdioPart({ keys }, folder) {
  const direct = stdioPrograms.direct(undefined, folder)
  const client = lineClient(direct)
  const call = () => client.call('tools/call', { name: 'tool_0', arguments: { text: 'text' } })
  const cells = loads.map((load) =>
    cell(
      { row: 'direct', load },
      direct,
      overConnections(load, async () => void (await call())),
    ),
  )
  const programs = {
    ours: await startProtect([...keys.words, '--', ...stdioCommand], folder),
    ...Object.fromEntries(
      await Promise.all(
        ['supergateway', 'mcp-proxy']
          .filter(isInstalled)
          .map(async (name) => [name, await startOther(name, folder)]),
      ),
    ),
  }
  for (const [row, program] of Object.entries(programs)) {
    const token = row === 'ours' ? keys.token : undefined
    const send = sender([await prepared(program, { revision: 'session', token })])
    for (const load of loads) cells.push(cell({ row, load }, program, overConnections(load, send)))
  }
  return { cells, measured: Object.values(programs), behind: [direct] }
}

/** One call that answers with many messages; a reader that is as fast as it can. */
export async function streamsPart({ keys }, folder) {
  const echo = await startEcho(folder)
  const [pipe, overHttp, overStdio] = await Promise.all([
    startPipe(echo.url, folder),
    startProtect([echo.url, ...keys.words], folder),
    startProtect([...keys.words, '--', ...stdioCommand], folder),
  ])
  const direct = stdioPrograms.direct(undefined, folder)
  const client = lineClient(direct)
  const cells = []
  for (const [stream, wanted] of Object.entries(streams)) {
    const add = (row, program, send) => cells.push(cell({ row, stream }, program, overConnections(1, send)))
    const sending = (program, token) =>
      streamSender(program, { revision: token ? 'session' : 'stateless', token, wanted })
    add('http, direct', echo, await sending(echo))
    add('http, pipe', pipe, await sending(pipe))
    add('http, protect', overHttp, await sending(overHttp, keys.token))
    add('stdio, direct', direct, () => streamedLines(client, wanted))
    add('stdio, protect', overStdio, await sending(overStdio, keys.token))
  }
  return { cells, measured: [pipe, overHttp, overStdio], behind: [echo, direct] }
}

async function streamedLines({ call }, wanted) {
  const params = { name: 'stream', arguments: wanted, _meta: { progressToken: 'bench' } }
  return (await call('tools/call', params)).bytes
}
