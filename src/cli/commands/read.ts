import { clientCommand } from '../client-command.ts'
import { contentLines } from '../content.ts'
import { entryLine } from '../printable.ts'

/** `mcp-bearer read`: one resource, or the list of them. */
export const read = clientCommand({
  summary: 'read a resource, or list them',
  usage: 'Usage: mcp-bearer read <url or name> [uri] [options]',
  about: `Prints the text of a resource; without a URI, the resources this token may see.

  mcp-bearer read reports --auth env:REPORTS_TOKEN
  mcp-bearer read reports report://2026/summary`,
  words: [0, 1],
  async run({ client, signal, words: [uri] }) {
    if (uri === undefined) {
      const resources = await client.listResources({ signal })
      return { json: { resources }, lines: resources.map(({ uri, name }) => entryLine(uri, name)) }
    }
    const { contents } = await client.readResource(uri, { signal })
    return { json: { contents }, lines: contentLines(contents) }
  },
})
