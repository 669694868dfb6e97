import { clientCommand } from '../client-command.ts'
import { printableLine } from '../printable.ts'
import { table } from '../terminal.ts'

/** Characters of a cell; the whole text is in the JSON. */
const widest = { name: 64, parameters: 60, description: 100 }

/** `mcp-bearer tools`: what a server offers the caller of this token. */
export const tools = clientCommand({
  summary: 'list the tools of a server',
  usage: 'Usage: mcp-bearer tools <url or name> [options]',
  about: `Lists the tools this token may see: name, parameters (? is optional), description.

  mcp-bearer tools https://mcp.example.com/mcp --auth file:/run/secrets/token
  mcp-bearer tools reports --json`,
  words: [0, 0],
  async run({ client, signal, terminal }) {
    const list = await client.listTools({ signal })
    const rows = list.map(({ name, description = '', inputSchema }) => [
      printableLine(name, widest.name),
      printableLine(parametersOf(inputSchema), widest.parameters),
      printableLine(description, widest.description),
    ])
    const lines = table([['TOOL', 'PARAMETERS', 'DESCRIPTION'], ...rows]).map((line) => line.trimEnd())
    if (list.length === 0) terminal.note('No tools for this token.')
    return { json: { tools: list }, lines: list.length === 0 ? [] : lines }
  },
})

function parametersOf(schema: object): string {
  const { properties, required } = schema as { properties?: unknown; required?: unknown }
  if (typeof properties !== 'object' || properties === null) return ''
  const needed: readonly unknown[] = Array.isArray(required) ? required : []
  return Object.entries(properties)
    .map(([name, property]) => `${name}${needed.includes(name) ? '' : '?'}${typeOf(property)}`)
    .join(', ')
}

function typeOf(property: unknown): string {
  const type: unknown = (property as { type?: unknown } | null)?.type
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  return types.every((one) => typeof one === 'string') ? `: ${types.join('|')}` : ''
}
