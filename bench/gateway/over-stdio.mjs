// stdio in front of HTTP: what a host that speaks only stdio starts.
import { lineClient } from './lines.mjs'
import { loads } from './plan.mjs'
import { isInstalled, startEcho, stdioPrograms } from './programs.mjs'
import { cell, overConnections } from './rounds.mjs'

/** @returns `{ cells, measured, behind }`, as in `over-http.mjs`; a load is calls under way at a time */
export async function connectPart({ jwt }, folder) {
  const echo = await startEcho(folder)
  const names = ['connect', ...['supergateway'].filter(isInstalled)]
  const cells = []
  const measured = []
  for (const row of names) {
    const program = stdioPrograms[row](echo.url, folder, jwt.token)
    measured.push(program)
    const { call, initialize } = lineClient(program)
    await initialize()
    const text = 'what the tool gives back'
    const send = async () => {
      const { result } = await call('tools/call', { name: 'tool_0', arguments: { text } })
      if (result.content[0].text !== text) throw new Error(`${program.title}: not the right answer`)
    }
    await send()
    for (const load of loads) cells.push(cell({ row, load }, program, overConnections(load, send)))
  }
  return { cells, measured, behind: [echo] }
}
