import { systemClock } from '../../../src/core/index.ts'
import { checks } from '../../../src/inspector/probe/checks/index.ts'
import type { ProbeSender } from '../../../src/inspector/probe/exchange.ts'
import type { ProbeReport } from '../../../src/inspector/probe/probe-report.ts'
import { runProbe } from '../../../src/inspector/probe/run-probe.ts'
import { nodeSender } from '../../../src/inspector/senders/node-sender.ts'
import type { WeakServer } from './weak-server.ts'

/** Probes a server by the name it goes by, on the socket where it listens. */
export async function probeByName({ url, address, token }: WeakServer): Promise<ProbeReport> {
  const inner = nodeSender({ origin: address, timeoutMs: 1500 })
  const { host } = new URL(url)
  const sender: ProbeSender = {
    isRaw: true,
    send: (request, signal) => {
      const hasHost = request.headers.some(([name]) => name.toLowerCase() === 'host')
      const headers = hasHost ? request.headers : [['Host', host] as const, ...request.headers]
      return inner.send({ ...request, headers }, signal)
    },
  }
  try {
    return await runProbe({
      url,
      token,
      sender,
      signal: new AbortController().signal,
      clock: systemClock,
      checks,
    })
  } finally {
    inner.close()
  }
}
