import { isObject, type JsonObject, memberOf } from '../mcp/message.ts'
import { paramValues } from '../mcp/param-values.ts'
import { fillable } from '../mcp/uri-template.ts'
import type { Item } from './item.ts'
import type { Job } from './runs.ts'

/** The request that uses it with this input. */
export function jobOf(item: Item, input: unknown): Job {
  const { kind, id, listed } = item
  // What is no object goes as it is: to see what the server says.
  const args = input as JsonObject
  const common = { item, input, headers: {} }
  switch (kind) {
    case 'tool':
      return {
        ...common,
        method: 'tools/call',
        params: { name: id, arguments: args },
        headers: paramValues(memberOf(listed, 'inputSchema'), args),
      }
    case 'prompt':
      return { ...common, method: 'prompts/get', params: { name: id, arguments: args } }
    case 'resource':
      return { ...common, method: 'resources/read', params: { uri: id } }
    case 'template':
      return { ...common, method: 'resources/read', params: { uri: fillable(id).fill(textsOf(input)) } }
  }
}

function textsOf(input: unknown): ReadonlyMap<string, string> {
  const entries = isObject(input) ? Object.entries(input) : []
  return new Map(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}
