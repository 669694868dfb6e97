import { clientCommand } from '../client-command.ts'
import { UsageError } from '../command.ts'
import { contentLines } from '../content.ts'
import { progressText } from '../progress.ts'
import { valuesOf } from '../values.ts'

/** `mcp-bearer call`: one call of a tool. */
export const call = clientCommand({
  summary: 'call a tool',
  usage: 'Usage: mcp-bearer call <url or name> <tool> [name=text | name:=JSON …] [options]',
  about: `Calls a tool and prints its result. Arguments are texts, or JSON after := ; instead of them
one JSON object, or - for a JSON object on standard input. Ctrl-C cancels the call at the
server. Exit code 1: the tool failed.

  mcp-bearer call reports summary year:=2026 format=short --auth env:REPORTS_TOKEN
  mcp-bearer call reports summary '{ "year": 2026 }'
  mcp-bearer call reports summary - < arguments.json`,
  words: [1, 1000],
  check({ auth, words: [, ...words] }) {
    if (auth === '-' && words.includes('-')) {
      throw new UsageError('standard input holds either the token or the arguments, not both')
    }
  },
  async run({ client, signal, terminal, words: [tool = '', ...words] }) {
    const args = await valuesOf(words, terminal, signal)
    const result = await client.callTool(tool, args, {
      signal,
      onProgress: (report) => terminal.progress(progressText(report)),
    })
    const { content, structuredContent } = result
    const lines =
      content.length === 0 && structuredContent !== undefined
        ? [JSON.stringify(structuredContent, undefined, 2)]
        : contentLines(content)
    return { json: { tool, result }, lines }
  },
})
