import { PassThrough } from 'node:stream'
import { vi } from 'vitest'
import type { LogEntry } from '../../src/core/index.ts'
import {
  type StdioBridge,
  type StdioBridgeOptions,
  stdioBridge,
} from '../../src/gateway/bridge/stdio-bridge.ts'

/** A message as it came out, or one to send: whatever JSON can be. */
export type Json = ReturnType<typeof JSON.parse>

/** A host that speaks in lines. */
export interface LineHost {
  readonly bridge: StdioBridge
  /** Every line of standard output, which must be JSON. */
  readonly heard: readonly Json[]
  readonly log: readonly LogEntry[]
  readonly input: PassThrough
  readonly output: PassThrough
  send(message: Json): void
  /** Sends a request, and waits for the one answer with its id. */
  ask(id: number | string, method: string, params?: Json): Promise<Json>
  /** Waits for a message. */
  hears(matches: (message: Json) => boolean): Promise<Json>
  /** The handshake of 2025-11-25. */
  begin(capabilities?: Json): Promise<Json>
}

const hosts: LineHost[] = []

/** Ends every bridge of the test. */
export async function endHosts(): Promise<void> {
  await Promise.all(hosts.splice(0).map(({ bridge }) => bridge.close()))
}

/** Starts a bridge in this process. */
export function lineHost(options: StdioBridgeOptions): LineHost {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const heard: Json[] = []
  const log: LogEntry[] = []
  let rest = ''
  output.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) heard.push(JSON.parse(line) as Json)
  })
  const bridge = stdioBridge({ logger: (entry) => void log.push(entry), ...options, input, output })
  const hears = (matches: (message: Json) => boolean): Promise<Json> =>
    vi.waitFor(
      () => {
        const found = heard.find(matches)
        if (!found) throw new Error(`not heard, but ${JSON.stringify(heard).slice(0, 2000)}`)
        return found
      },
      { timeout: 10_000, interval: 5 },
    )
  const send = (message: Json): void =>
    void input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const ask = (id: number | string, method: string, params?: Json): Promise<Json> => {
    send({ id, method, ...(params && { params }) })
    return hears((message) => message.id === id && !('method' in message))
  }
  const host: LineHost = {
    bridge,
    heard,
    log,
    input,
    output,
    send,
    ask,
    hears,
    async begin(capabilities = {}) {
      const clientInfo = { name: 'host', version: '1' }
      const answer = await ask('begin', 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities,
        clientInfo,
      })
      send({ method: 'notifications/initialized' })
      return answer
    },
  }
  hosts.push(host)
  return host
}

/** What a request of 2026-07-28 says of itself. */
export function modern(params: Json = {}, capabilities: Json = {}): Json {
  return {
    ...params,
    _meta: {
      ...params._meta,
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'host', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': capabilities,
    },
  }
}
