/** The server under test, in a process of its own. */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { childEnvironment, commandUpstream, gateway, httpUpstream } from '../../dist/gateway/index.js'
import { staticVerifier } from '../../dist/verify/index.js'
import { injectingProxy } from './inject.mjs'

const program = fileURLToPath(new URL('./everything.mjs', import.meta.url))
const startMs = 20_000

/**
 * Starts it without protection, reached directly.
 *
 * @param args more arguments for it
 * @param signal ends it
 * @returns `{ url, close }`
 */
export async function openFixture(args, signal) {
  const child = await start(args, {}, signal)
  return { url: child.url, close: child.close }
}

/**
 * Starts it behind a token, reached through a proxy that adds the token.
 *
 * @param signal ends it
 * @returns `{ url, close, requests, verified, statusWithoutToken }`: `requests()` counts what came through the proxy,
 *   `{ own, foreign }` by `Host`; `verified()` resolves to how often the verifier was asked
 */
export async function guardedFixture(signal) {
  const token = randomBytes(32).toString('hex')
  const proxy = await injectingProxy(token)
  try {
    const child = await start(['--auth', '--public', proxy.host], { CONFORMANCE_TOKEN: token }, signal)
    proxy.forwardTo(child.url)
    return {
      url: `http://${proxy.host}/mcp`,
      requests() {
        const all = [...proxy.hosts.values()].reduce((sum, count) => sum + count, 0)
        const own = proxy.hosts.get(proxy.host) ?? 0
        return { own, foreign: all - own }
      },
      verified: async () => (await child.ask('verified')).verified,
      statusWithoutToken: () => statusOf(child.url, proxy.host),
      async close() {
        proxy.close()
        await child.close()
      },
    }
  } catch (error) {
    proxy.close()
    throw error
  }
}

/**
 * Starts it without protection, behind a gateway, reached through a proxy that adds the token.
 *
 * @param over `http` or `stdio`: how the gateway reaches it
 * @param signal ends it
 * @returns `{ url, close }`
 */
export async function gatewayFixture(over, signal) {
  const token = randomBytes(32).toString('hex')
  const proxy = await injectingProxy(token)
  const child = over === 'http' ? await start([], {}, signal) : undefined
  const door = gateway({
    upstream: child ? httpUpstream({ url: child.url }) : ownProcesses(),
    auth: staticVerifier({ [token]: { clientId: 'conformance-suite' } }, { logger: () => {} }),
    http: { allowedHosts: [proxy.host], allowedOrigins: [`http://${proxy.host}`] },
  })
  const close = async () => {
    proxy.close()
    await door.close()
    await child?.close()
  }
  try {
    proxy.forwardTo((await door.listen({ port: 0, closeOnSigterm: false })).url)
    return { url: `http://${proxy.host}/mcp`, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A process for each session, and one for all that need none. */
function ownProcesses() {
  return commandUpstream({
    command: process.execPath,
    args: [program, '--stdio'],
    env: childEnvironment(process.env, []),
    // The suite asks for roots, of which processes are not told otherwise.
    processes: { maxPerPrincipal: 100, clientRoots: true },
  })
}

async function start(args, env, signal) {
  const child = fork(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    signal,
  })
  // Without a listener, an abort would end this program before it has closed the rest.
  child.on('error', () => {})
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const close = async () => {
    child.kill()
    await ended
  }
  try {
    const { url } = await nextMessage(child)
    const ask = (question) => {
      const answer = nextMessage(child)
      child.send(question)
      return answer
    }
    return { url, ask, close }
  } catch (error) {
    await close()
    throw error
  }
}

function nextMessage(child) {
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`the server under test ${why}`))
    const timer = setTimeout(() => fail(`did not answer within ${startMs / 1000} s`), startMs)
    const onExit = (code, signal) => fail(`ended with ${signal ?? code}`)
    child.once('exit', onExit)
    child.once('message', (message) => {
      clearTimeout(timer)
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

/** What the server itself says to a request that brings no token. */
function statusOf(url, host) {
  const headers = { host, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', headers, agent: false, timeout: startMs }, (res) => {
      res.resume()
      resolve(res.statusCode)
    })
    req.on('timeout', () => req.destroy(new Error('no answer to a request without a token')))
    req.on('error', reject)
    req.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }))
  })
}
