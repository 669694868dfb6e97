import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** What becomes of what is sent: it arrives, it vanishes and nobody is told, or there is nobody. */
export type Weather = 'clear' | 'silent' | 'refusing'

/** Between a program and a server, to take the network away. */
export interface TcpProxy {
  readonly port: number
  /** For the connections that are open, and for new ones. */
  become(weather: Weather): void
  close(): void
}

/** A proxy to a port of this machine. */
export async function tcpProxy(target: number): Promise<TcpProxy> {
  let weather: Weather = 'clear'
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((client) => {
    if (weather === 'refusing') {
      client.destroy()
      return
    }
    const there = connect(target, '127.0.0.1')
    const pair = [client, there] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [there, client]] as const) {
      from.on('data', (bytes) => void (weather === 'clear' && to.write(bytes)))
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        if (weather !== 'silent') to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    become(next) {
      // What has vanished is missing in its stream for good.
      if (next !== 'silent') for (const pair of pairs) for (const end of pair) end.destroy()
      weather = next
    },
    close() {
      server.close()
      for (const pair of pairs) for (const end of pair) end.destroy()
    },
  }
}
