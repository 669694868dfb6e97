import { openConnection, type RawAnswer, type RawConnection } from '../http/support.ts'
import { type Answered, type Asker, answered, type Sent } from './lanes-compare.ts'
import type { Side, World } from './lanes-worlds.ts'

/** What both sides answer to; their ports differ. */
export const host = 'world.example'

/** Both sides of a world on sockets of their own. */
export interface SocketWorld {
  readonly ask: Asker
  close(): Promise<void>
}

/** Asks over real connections, where a header can come twice and bytes are bytes. */
export async function onSockets({ fast, slow }: World): Promise<SocketWorld> {
  const ports = new Map<Side, number>()
  for (const side of [fast, slow]) ports.set(side, await portOf(side))
  const connections = new Map<Side, RawConnection>()

  async function ask(side: Side, sent: Sent, states: string[]): Promise<Answered> {
    const port = ports.get(side) ?? 0
    const connection = connections.get(side) ?? openConnection(port)
    connections.set(side, connection)
    const answer = await connection.ask(bytesOf(sent))
    if (answer.header('connection').includes('close')) {
      connection.close()
      connections.delete(side)
    }
    return readAnswer(answer, states)
  }

  return {
    ask,
    async close() {
      for (const connection of connections.values()) connection.close()
      await Promise.all([fast.server.close(), slow.server.close()])
    },
  }
}

async function portOf({ server }: Side): Promise<number> {
  const { url } = await server.listen({ port: 0, closeOnSigterm: false })
  return Number(new URL(url).port)
}

/** The request as it goes over the wire, each character one byte. */
function bytesOf({ verb, headers, body }: Sent): string {
  const bytes = Buffer.from(body ?? '', 'utf8').toString('latin1')
  const length = body === undefined ? [] : [`Content-Length: ${bytes.length}`]
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  return [`${verb} /mcp HTTP/1.1`, `Host: ${host}`, ...length, ...lines, '', bytes].join('\r\n')
}

function readAnswer(answer: RawAnswer, states: string[]): Answered {
  const [, ...lines] = (answer.raw.split('\r\n\r\n', 1)[0] ?? '').split('\r\n')
  const headers = lines
    .map((line) => /^([^:]+): ?(.*)$/.exec(line)?.slice(1) ?? ['?', line])
    .filter(([name]) => name?.toLowerCase() !== 'date')
    .map(([name = '', value = '']) => [name, value] as const)
  const isChunked = answer.header('transfer-encoding').includes('chunked')
  const bytes = isChunked ? dechunked(answer.body) : answer.body
  return answered(answer.status, headers, Buffer.from(bytes, 'latin1').toString('utf8'), states)
}

function dechunked(body: string): string {
  const end = body.indexOf('\r\n')
  const size = Number.parseInt(body.slice(0, end), 16)
  if (!(size > 0)) return ''
  return body.slice(end + 2, end + 2 + size) + dechunked(body.slice(end + 4 + size))
}
