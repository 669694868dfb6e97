import { paramHeaders } from '../../../server/param-headers.ts'
import { isObject, type JsonObject, memberOf } from './message.ts'
import { headerValue } from './negotiate.ts'

/**
 * The headers that repeat arguments of a call, where the input schema of the tool asks for them (MCP Streamable HTTP,
 * "Custom Headers from Tool Parameters"). A schema that asks wrongly gets none: the server will say what it makes of that.
 */
export function paramValues(inputSchema: unknown, args: JsonObject): Record<string, string> {
  return Object.fromEntries(
    declared(inputSchema).flatMap(({ header, path }) => {
      const value = path.reduce<unknown>(memberOf, args)
      const isText = typeof value === 'string' || typeof value === 'boolean'
      return isText || Number.isSafeInteger(value) ? [[header, headerValue(String(value))]] : []
    }),
  )
}

function declared(inputSchema: unknown): ReturnType<typeof paramHeaders> {
  if (!isObject(inputSchema)) return []
  try {
    return paramHeaders('tool', inputSchema)
  } catch {
    return []
  }
}
