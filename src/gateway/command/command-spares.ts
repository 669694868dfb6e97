import { isRequest } from '../message.ts'
import type { Channel, ChannelHost } from './channel.ts'

/** Processes that have been asked for their revision and nothing else, for the next session of the same owner. */
export interface Spares {
  /** Keeps one for a moment: clients that hear that a server is old begin a session at once. */
  keep(owner: string, channel: Channel): void
  /** Takes it out; whoever does serves it from now on. */
  take(owner: string): Channel | undefined
  /** Ends those that nobody came for. */
  tick(now: number): void
}

/** Milliseconds. */
const keptFor = 10_000

/** @param clock milliseconds, not going back */
export function spares(clock: () => number): Spares {
  const kept = new Map<string, { readonly channel: Channel; readonly until: number }>()
  const host: ChannelHost = {
    said(from, message) {
      if (!isRequest(message)) return
      const error = { code: -32601, message: 'There is no client yet' }
      from.tell({ jsonrpc: '2.0', id: message.id, error })
    },
    ended(gone) {
      for (const [owner, { channel }] of kept) if (channel === gone) kept.delete(owner)
    },
  }

  return {
    keep(owner, channel) {
      void kept.get(owner)?.channel.stop()
      channel.serve(host)
      kept.set(owner, { channel, until: clock() + keptFor })
    },
    take(owner) {
      const found = kept.get(owner)?.channel
      kept.delete(owner)
      return found?.isRunning ? found : undefined
    },
    tick(now) {
      for (const [owner, { channel, until }] of kept) {
        if (now < until) continue
        kept.delete(owner)
        void channel.stop()
      }
    },
  }
}
