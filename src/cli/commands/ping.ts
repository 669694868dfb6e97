import { stopwatch } from '../../core/clock.ts'
import { clientCommand } from '../client-command.ts'

/** `mcp-bearer ping`: whether a server answers, and takes the token. */
export const ping = clientCommand({
  summary: 'ask a server for a sign of life',
  usage: 'Usage: mcp-bearer ping <url or name> [options]',
  about: `Connects, sends the token, and waits for an answer. Exit code 0: the server answers, and
takes the token. 10 to 22: it does not, and the code says why.

  mcp-bearer ping https://mcp.example.com/mcp --auth env:MCP_API_KEY
  mcp-bearer ping reports --config mcp.json`,
  words: [0, 0],
  async run({ client, server, signal }) {
    await client.connect({ signal })
    const start = stopwatch()
    await client.ping({ signal })
    const milliseconds = Math.round(stopwatch() - start)
    return {
      json: { ok: true, milliseconds },
      lines: [`${server} answers in ${milliseconds} ms`],
    }
  },
})
