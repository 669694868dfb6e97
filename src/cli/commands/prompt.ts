import { clientCommand } from '../client-command.ts'
import { contentLines } from '../content.ts'
import { entryLine } from '../printable.ts'
import { textsOf } from '../values.ts'

/** `mcp-bearer prompt`: one prompt filled in, or the list of them. */
export const prompt = clientCommand({
  summary: 'fill in a prompt, or list them',
  usage: 'Usage: mcp-bearer prompt <url or name> [prompt] [name=text …] [options]',
  about: `Prints the messages of a prompt; without a name, the prompts this token may see.

  mcp-bearer prompt reports --auth env:REPORTS_TOKEN
  mcp-bearer prompt reports greeting name=Ada`,
  words: [0, 1000],
  async run({ client, signal, words: [name, ...words] }) {
    if (name === undefined) {
      const prompts = await client.listPrompts({ signal })
      return {
        json: { prompts },
        lines: prompts.map(({ name, description = '' }) => entryLine(name, description)),
      }
    }
    const { description, messages } = await client.getPrompt(name, textsOf(words), { signal })
    return {
      json: { prompt: name, ...(description !== undefined && { description }), messages },
      lines: messages.flatMap(({ role, content }) =>
        contentLines([content]).map((text) => `${role}: ${text}`),
      ),
    }
  },
})
