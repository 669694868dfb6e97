import { type ParamHeader, paramHeaders } from '../../server/param-headers.ts'
import { type JsonObject, type RpcId, type RpcMessage, type RpcRequest, revisionOf } from './bridge-words.ts'

/** MCP 2026-07-28 transports, "Custom Headers from Tool Parameters": a header is missing, or says something else. */
const headerMismatch = -32_020

/** Pages of a list, and tools that want headers: a server that has more is not one of people. */
const mostPages = 64
const mostTools = 10_000

type Ask = (
  request: RpcRequest,
  headers?: Readonly<Record<string, string>>,
) => Promise<RpcMessage | undefined>

/**
 * Arguments that tools want repeated in headers. On stdio there are none, so a host does not send them; over HTTP a
 * server may refuse a call without. What tools want is learnt from the lists that pass, and asked for when a call was
 * refused; it is sent once more then, for the server has not looked at it.
 */
export interface ParamHeaders {
  ask(request: RpcRequest, send: Ask, ownId: () => RpcId): Promise<RpcMessage | undefined>
}

export function repeatedParams(): ParamHeaders {
  const wanted = new Map<string, readonly ParamHeader[]>()
  const learn = (answer: RpcMessage | undefined): unknown => {
    const { tools, nextCursor } = (answer?.result ?? {}) as JsonObject
    for (const tool of Array.isArray(tools) ? (tools as readonly unknown[]) : []) remember(wanted, tool)
    return nextCursor
  }
  const learnAll = async (call: RpcRequest, send: Ask, ownId: () => RpcId): Promise<void> => {
    let cursor: unknown
    for (let page = 0; page < mostPages; page++) {
      const params = { _meta: call.params?._meta, ...(cursor !== undefined && { cursor }) }
      cursor = learn(await send({ jsonrpc: '2.0', id: ownId(), method: 'tools/list', params }))
      if (cursor === undefined) return
    }
  }
  return {
    async ask(request, send, ownId) {
      if (revisionOf(request) === undefined) return send(request)
      if (request.method === 'tools/list') {
        const answer = await send(request)
        learn(answer)
        return answer
      }
      if (request.method !== 'tools/call') return send(request)
      const answer = await send(request, headersOf(request, wanted))
      if (codeOf(answer) !== headerMismatch) return answer
      await learnAll(request, send, ownId)
      const headers = headersOf(request, wanted)
      return headers === undefined ? answer : send(request, headers)
    },
  }
}

function codeOf(answer: RpcMessage | undefined): unknown {
  return (answer?.error as { code?: unknown } | undefined)?.code
}

function remember(wanted: Map<string, readonly ParamHeader[]>, tool: unknown): void {
  const { name, inputSchema } = (tool ?? {}) as JsonObject
  if (typeof name !== 'string') return
  wanted.delete(name)
  const headers = headersIn(inputSchema)
  if (headers.length > 0 && wanted.size < mostTools) wanted.set(name, headers)
}

function headersIn(inputSchema: unknown): readonly ParamHeader[] {
  if (typeof inputSchema !== 'object' || inputSchema === null) return []
  try {
    return paramHeaders('tool', inputSchema as JsonObject)
  } catch {
    // It asks for headers that cannot be; whatever the server makes of that, none is sent.
    return []
  }
}

function headersOf(
  { params = {} }: RpcRequest,
  wanted: ReadonlyMap<string, readonly ParamHeader[]>,
): Readonly<Record<string, string>> | undefined {
  const headers = typeof params.name === 'string' ? wanted.get(params.name) : undefined
  if (headers === undefined) return undefined
  const filled = headers.flatMap(({ header, path }): [string, string][] => {
    const text = textAt(params.arguments, path)
    return text === undefined ? [] : [[header, encoded(text)]]
  })
  return Object.fromEntries(filled)
}

function textAt(args: unknown, path: readonly string[]): string | undefined {
  let value = args
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  if (typeof value === 'string') return value
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : undefined
}

/** "Value Encoding": what is no plain ASCII, or would be trimmed, goes in Base64. */
function encoded(text: string): string {
  const isPlain = /^[\x21-\x7E](?:[\t\x20-\x7E]*[\x21-\x7E])?$/.test(text) && !text.startsWith('=?base64?')
  return isPlain ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`
}
