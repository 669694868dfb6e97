import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProgramRuntime } from './programs.ts'
import { type NoticesLeaving, protectedServerContract } from './server-contract.ts'
import { type Host, startHost, startWorkerHost } from './server-hosts.ts'

const nodes = ['node-20', 'node-22', 'node-24', 'node-26'] as const

/** Runtime, the program it runs, and where the program mounts the server. */
const programs: readonly (readonly [ProgramRuntime, string, readonly string[]])[] = [
  ...nodes.flatMap((node) => [
    [node, 'server-listen.mjs', ['listen()']] as const,
    [node, 'server-express.mjs', ['Express', 'Express under a prefix']] as const,
    [node, 'server-hono.mjs', ['Hono', 'Hono under a prefix']] as const,
  ]),
  ['bun', 'server-bun.mjs', ['Bun.serve']],
  ['deno', 'server-deno.mjs', ['Deno.serve']],
]

/**
 * Deno says it once to whoever listens to the signal of a request: unless it is started with another option, the signal
 * is aborted after every answer, when nobody listens any more.
 */
const oddities: Readonly<Record<string, RegExp>> = {
  deno: /^(Deno\.serve: request\.signal aborts on successful responses [^\n]*\n)?$/,
}

describe.each(programs)('%s with %s', (runtime, file, sites) => {
  served(sites, () => startHost(runtime, file), 'at once', oddities[runtime])
})

describe('workerd', () => {
  // It does not look whether a caller is there still, neither before the answer nor while there is nothing to send.
  served(['a worker'], startWorkerHost, 'when it sends')
})

function served(
  sites: readonly string[],
  start: () => Promise<Host>,
  noticesLeaving: NoticesLeaving,
  oddity = /^$/,
): void {
  let host: Host
  beforeAll(async () => {
    host = await start()
  })
  afterAll(async () => {
    await host?.close()
  })
  describe.each(sites)('the protected server: %s', (site) => {
    protectedServerContract(() => host.sites[site] ?? `no site ${site}`, noticesLeaving)
  })
  // A warning counts: who serves the package so would see it too.
  it('complains of nothing', async () => {
    expect(await host.close()).toMatch(oddity)
  })
}
