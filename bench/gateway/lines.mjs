// A client that speaks stdio: a message a line, and as little work as there can be.

/**
 * @param program whose standard input is open
 * @returns `{ call, initialize }`
 */
export function lineClient({ child, title, complaints }) {
  const waiting = new Map()
  let nextId = 1
  let pieces = []
  child.stdout.on('data', (chunk) => {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      pieces.push(chunk.subarray(start, end))
      const line = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
      pieces = []
      start = end + 1
      take(line)
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  })
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`${title} ended. ${complaints()}`))
  })

  /** Of a message that is no answer only the size counts. */
  function take(line) {
    if (line.subarray(0, 100).includes('"method"')) {
      for (const one of waiting.values()) one.bytes += line.length
      return
    }
    const message = JSON.parse(line.toString())
    const asked = waiting.get(message.id)
    if (!asked) return
    waiting.delete(message.id)
    if (message.error) asked.reject(new Error(`${title} answered: ${JSON.stringify(message.error)}`))
    else asked.resolve({ result: message.result, bytes: asked.bytes + line.length })
  }

  const write = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

  /** @returns resolves with `{ result, bytes }` */
  function call(method, params) {
    const id = nextId++
    const answered = new Promise((resolve, reject) => waiting.set(id, { resolve, reject, bytes: 0 }))
    write({ id, method, params })
    return answered
  }

  async function initialize() {
    const clientInfo = { name: 'bench', version: '1' }
    const answer = await call('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
    write({ method: 'notifications/initialized' })
    return answer
  }

  return { call, initialize }
}
