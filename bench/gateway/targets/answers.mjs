// What the servers behind the gateways say, over HTTP and over stdio: as little work as there can be.

/** The most tools there are; a policy filters them. */
export const toolCount = 1000

const tools = Array.from({ length: toolCount }, (_, n) => ({
  name: `tool_${n}`,
  description: `Tool number ${n}`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
}))
/** Written once: the list shall not cost the server what it costs the gateway. */
const listText = JSON.stringify({ tools })

/** The text of the answer to a request that is no stream. */
export function answerText({ id, method, params }) {
  const result = resultText(method, params)
  return result === undefined
    ? JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
    : `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
}

function resultText(method, params) {
  switch (method) {
    case 'initialize':
      return JSON.stringify({
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'echo', version: '1' },
      })
    case 'tools/call':
      return JSON.stringify({ content: [{ type: 'text', text: params.arguments.text }] })
    case 'tools/list':
      return listText
    case 'ping':
      return '{}'
    default:
      return undefined
  }
}

/** Whether a request asks for many messages before its answer, `{ events, bytes }`; else `undefined`. */
export function streamOf({ method, params }) {
  return method === 'tools/call' && params.name === 'stream' ? params.arguments : undefined
}

/** One of these messages, `bytes` long or a little more: progress, which goes to whoever sent the request. */
export function progressText({ params }, progress, bytes) {
  const { progressToken } = params._meta
  const message = 'x'.repeat(bytes - 120)
  return JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken, progress, message },
  })
}

/** The answer behind them. */
export const lastText = ({ id }) =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"done"}]}}`
