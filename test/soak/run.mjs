// Sends a crowd to a server, and says what crossed over.
import { crowdServer, ledger, people } from './crowd.mjs'
import { randomFrom } from './random.mjs'
import { visit } from './visits.mjs'
import { wires } from './wire.mjs'

/**
 * @param library `{ MCPServer, getAccessToken, ToolError }`
 * @param options `requests` to send, `principals` that send them, `parallel` visits at a time, `seed`, `onProgress`,
 *   called with the number of requests that are done; `onFault`, called with each crossing at once
 * @returns `{ requests, faults, calls, left }`: what crossed over, how many calls hung, and how many callers left
 */
export async function soak(
  library,
  { requests, principals = 50, parallel = 64, seed = 1, onProgress = () => {}, onFault = () => {} },
) {
  const random = randomFrom(seed)
  const crowd = people(principals, random)
  const book = ledger(onFault)
  const server = crowdServer(library, crowd, book)
  const { url } = await server.listen({ port: 0, closeOnSigterm: false })
  const net = wires(Number(new URL(url).port))
  let done = 0
  let begun = 0
  const world = { crowd, book, net, random, fault: book.fault, count: () => done }

  async function walk() {
    while (begun < requests && book.faults.length < mostFaults) {
      begun++
      const sent = await visit(world)
      begun += sent - 1
      done += sent
      onProgress(done)
    }
  }

  try {
    await Promise.all(Array.from({ length: parallel }, walk))
    for (const nonce of book.started) await book.when('abort', nonce)
    return { requests: done, faults: book.faults, calls: book.started.size, left: book.left.size }
  } finally {
    net.close()
    await server.close()
  }
}

/** More say nothing new. */
const mostFaults = 20
