import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { AuthError, type AuthEvent, type LogEntry } from 'mcp-bearer'
import { Ed25519KeyPair, type KeyPair, LocalIssuer } from 'mcp-bearer/issuer'
import { type JwtVerifierOptions, jwtVerifier, type VerifierEnvironment } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bundledProgram } from './bundled-program.ts'
import { audience, encodePart, goodClaims, issuer, now, quiet } from './forge.ts'
import { json, keyServer, status } from './key-server.ts'

/** A verifier whose clock only moves by hand, and what it told of. */
function worldOf(options: Partial<JwtVerifierOptions>, environment: VerifierEnvironment = {}) {
  let time = now * 1000
  const logged: LogEntry[] = []
  const events: AuthEvent[] = []
  const clock = () => time
  const verifier = jwtVerifier(
    { issuer, audience, algorithms: ['EdDSA'], ...options },
    { clock, logger: (entry) => logged.push(entry), onEvent: (event) => events.push(event), ...environment },
  )
  return {
    logged,
    events,
    clock,
    verifier,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    /** What the server would answer: 200, 401 or 503. */
    async verify(token: string): Promise<number> {
      try {
        return (await verifier.verifyToken(token)) === null ? 401 : 200
      } catch (error) {
        if (error instanceof AuthError && error.code === 'verifier_unavailable') return 503
        throw error
      }
    },
    reasons: () =>
      logged.filter(({ event }) => event === 'jwks_unavailable').map(({ details }) => details?.reason),
  }
}

/** A token for a day: what these tests are about is the keys. */
function tokenOf(pair: KeyPair, kid?: string): Promise<string> {
  const options = { issuer, audience, expiresInSeconds: 86_400, ...(kid !== undefined && { kid }) }
  return pair.createToken(options, () => now * 1000)
}

/** A token that names a key nobody has. No key is looked up by its signature, so it needs no good one. */
function strayToken(kid: string): string {
  const payload = encodePart({ ...goodClaims, exp: now + 86_400 })
  return `${encodePart({ alg: 'EdDSA', typ: 'JWT', kid })}.${payload}.${encodePart(Buffer.alloc(64, 7))}`
}

function signal(): { readonly given: Promise<void>; give(): void } {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

/** Real timers stay where nothing waits for them: sockets. */
function fakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

const transports: [string, VerifierEnvironment][] = [
  ['the fetch of this package', {}],
  ['a fetch of the operator', { fetch: (...request) => globalThis.fetch(...request) }],
]

describe('an issuer that comes and goes', () => {
  /** An issuer at a port of its own, which can end and begin again there with the same or another key. */
  async function localIssuer(pair: KeyPair) {
    const start = async (keyPair: KeyPair, port: number) => {
      const local = await LocalIssuer.start({ keyPair, port, clock: () => now * 1000, logger: quiet })
      onTestFinished(() => local.close())
      return local
    }
    const first = await start(pair, 0)
    const port = Number(new URL(first.issuer).port)
    return { first, again: (keyPair: KeyPair) => start(keyPair, port) }
  }
  const day = { audience, expiresInSeconds: 86_400 }

  it('B-81 J20 is down at start: 503, and 200 as soon as it is up and the pause is over', async () => {
    const pair = await Ed25519KeyPair.generate()
    const { first, again } = await localIssuer(pair)
    await first.close()
    const { verify, pass, reasons } = worldOf({ jwksUri: first.jwksUri, issuer: first.issuer })
    const token = await first.mint(day)
    expect(await verify(token)).toBe(503)
    expect(reasons()).toEqual([`no answer from ${new URL(first.issuer).host}: ECONNREFUSED`])
    await again(pair)
    expect(await verify(token)).toBe(503)
    pass(1)
    expect(await verify(token)).toBe(200)
  })

  it('J15 J16 B-77 FL-52 ends later: known keys 200 for an hour, unknown keys 503 and never 401', async () => {
    const pair = await Ed25519KeyPair.generate()
    const next = await Ed25519KeyPair.generate()
    const { first, again } = await localIssuer(pair)
    const world = worldOf({ jwksUri: first.jwksUri, issuer: first.issuer })
    const known = await first.mint(day)
    expect(await world.verify(known)).toBe(200)
    await first.close()
    for (let minute = 0; minute < 10; minute++) {
      world.pass(60)
      expect(await world.verify(known)).toBe(200)
      expect(await world.verify(strayToken('unknown').replace(/\.[^.]+\./, middleOf(known)))).toBe(503)
    }
    world.pass(3000)
    expect(await world.verify(known)).toBe(200)
    world.pass(60)
    expect(await world.verify(known)).toBe(503)
    expect(await world.verify(strayToken('unknown').replace(/\.[^.]+\./, middleOf(known)))).toBe(503)

    const restarted = await again(next)
    world.pass(60)
    expect(await world.verify(await restarted.mint(day))).toBe(200)
    // It came back without the old key: that one is over, and this is known again.
    expect(await world.verify(known)).toBe(401)
  })

  const middleOf = (token: string) => `.${token.split('.')[1]}.`

  it('FL-54 a rotation is noticed, and the retired key ends with the next refresh', async () => {
    const { first: local } = await localIssuer(await Ed25519KeyPair.generate())
    const { verify, pass } = worldOf({ jwksUri: local.jwksUri, issuer: local.issuer })
    const old = await local.mint(day)
    expect(await verify(old)).toBe(200)
    await local.rotate(await Ed25519KeyPair.generate())
    const young = await local.mint(day)
    pass(30)
    expect([await verify(young), await verify(old)]).toEqual([200, 200])
    local.retire()
    expect(await verify(old)).toBe(200)
    pass(60)
    expect([await verify(young), await verify(old)]).toEqual([200, 401])
  })
})

describe.each(transports)('answers that are none, with %s', (_name, environment) => {
  const worldAt = (jwksUri: string) => worldOf({ jwksUri }, environment)
  const marker = 'do-not-quote-me'

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['500', (response) => response.writeHead(500).end(marker), /^the answer has status 500$/],
    ['a page', (response) => response.end(`<html>${marker}</html>`), /^the answer is not JSON$/],
    ['half a document', (response) => response.end(`{"keys":["${marker}`), /^the answer is not JSON$/],
    ['another document', (response) => response.end(`{"${marker}":1}`), /^not a JSON Web Key Set$/],
    ['a reset at once', (response) => response.socket?.resetAndDestroy(), /./],
    ['a reset in mid-body', resetInMidBody, /./],
    // What arrived is a key set, and a complete one would say so: taken for it, every good token would be a bad one.
    ['an end before the length that was promised', endTooEarly, /./],
    ['an end without the last chunk', endWithoutLastChunk, /./],
    ['something that is not HTTP', (response) => void response.socket?.end(`${marker}\r\n\r\n`), /./],
    ['a head without end', headWithoutEnd, /./],
  ])('FL-55 %s is an outage, and nothing of it is repeated', async (_case, answer, reason) => {
    const pair = await Ed25519KeyPair.generate()
    const server = await keyServer((_request, response) => answer(response))
    const { verify, logged, reasons, pass } = worldAt(server.url)
    const token = await tokenOf(pair)
    expect(await verify(token)).toBe(503)
    expect(reasons()).toEqual([expect.stringMatching(reason)])
    expect(JSON.stringify(logged)).not.toContain(marker)
    server.answer = json(pair.jwks())
    pass(1)
    expect(await verify(token)).toBe(200)
  })

  function resetInMidBody(response: ServerResponse): void {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"keys":[', () => response.socket?.resetAndDestroy())
  }

  function endTooEarly(response: ServerResponse): void {
    response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"keys":[]}')
  }

  function endWithoutLastChunk(response: ServerResponse): void {
    response.socket?.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{"keys":[]}\r\n')
  }

  function headWithoutEnd(response: ServerResponse): void {
    response.socket?.on('error', () => {})
    response.socket?.write(`HTTP/1.1 200 OK\r\n${`X-Fill: ${'x'.repeat(1000)}\r\n`.repeat(100)}`)
  }

  it('B-72 FL-55 of a body of 1 GiB some 100 KiB are taken, and the connection is closed', async () => {
    const closed = signal()
    const chunk = Buffer.alloc(16 * 1024, ' ')
    let taken = 0
    const server = await keyServer(async (_request, response) => {
      response.on('close', closed.give)
      response.writeHead(200, { 'content-length': 2 ** 30 })
      while (taken < 2 ** 30 && !response.destroyed) {
        taken += chunk.length
        const isFull = !response.write(chunk)
        // Only what is taken is followed by more; and the other side, in this very process, has to get its turns.
        if (isFull) await Promise.race([once(response, 'drain').catch(() => {}), closed.given])
        await turn()
      }
    })
    const { verify, reasons } = worldAt(server.url)
    expect(await verify(strayToken('k'))).toBe(503)
    await closed.given
    expect(taken).toBeGreaterThan(64 * 1024)
    expect(taken).toBeLessThanOrEqual(400 * 1024)
    expect(reasons()).toEqual(['the answer is longer than 65536 bytes'])
  })

  it('J07 B-72 no answer within five seconds is an outage, and the request is given up', async () => {
    fakeTimers()
    const [asked, closed] = [signal(), signal()]
    const server = await keyServer((request) => {
      request.socket.on('close', closed.give)
      asked.give()
    })
    const { verify, reasons } = worldAt(server.url)
    const settled = vi.fn()
    const verdict = verify(strayToken('k')).finally(settled)
    await asked.given
    await vi.advanceTimersByTimeAsync(4999)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(await verdict).toBe(503)
    await closed.given
    expect(reasons()).toEqual(['no complete answer within 5000 ms'])
  })

  it('J07 a byte a second does not buy more time', async () => {
    fakeTimers()
    const asked = signal()
    let drip = () => {}
    const server = await keyServer((_request, response) => {
      response.writeHead(200)
      drip = () => void response.write(' ')
      asked.give()
    })
    const { verify } = worldAt(server.url)
    const settled = vi.fn()
    const verdict = verify(strayToken('k')).finally(settled)
    await asked.given
    for (let second = 1; second <= 4; second++) {
      drip()
      await vi.advanceTimersByTimeAsync(1000)
      expect(settled).not.toHaveBeenCalled()
    }
    await vi.advanceTimersByTimeAsync(1000)
    expect(await verdict).toBe(503)
  })

  it('B-83 close() ends a fetch that is under way: 503 for all who wait, no log, and none asks again', async () => {
    const [asked, closed] = [signal(), signal()]
    const server = await keyServer((request) => {
      request.socket.on('close', closed.give)
      asked.give()
    })
    const { verifier, verify, logged } = worldAt(server.url)
    const waiting = Promise.all([verify(strayToken('a')), verify(strayToken('b'))])
    await asked.given
    verifier.close?.()
    expect(await waiting).toEqual([503, 503])
    await closed.given
    expect(await verify(strayToken('c'))).toBe(503)
    expect(server.requests).toHaveLength(1)
    expect(logged).toEqual([])
  })
})

describe('an issuer that is slow', () => {
  it('FL-52 costs known keys one wait: from the first failure on they pass at once, while it is asked again', async () => {
    fakeTimers()
    const pair = await Ed25519KeyPair.generate()
    const server = await keyServer(json(pair.jwks()))
    const { verify, pass } = worldOf({ jwksUri: server.url })
    const token = await tokenOf(pair)
    expect(await verify(token)).toBe(200)

    let asked = signal()
    server.answer = () => asked.give()
    pass(600)
    const first = verify(token)
    await asked.given
    await vi.advanceTimersByTimeAsync(5000)
    expect(await first).toBe(200)

    asked = signal()
    pass(60)
    // No timer moves: whoever waited for the answer would wait for ever.
    expect(await Promise.all(Array.from({ length: 64 }, () => verify(token)))).toEqual(Array(64).fill(200))
    await asked.given
    expect(server.requests).toHaveLength(3)
  })
})

describe('B-75 J13 an issuer that fails', () => {
  /** Seconds of the requests within the first minutes, with the dice falling this way. */
  async function attempts(seconds: number, dice: number, headers: Record<string, string> = {}) {
    vi.spyOn(Math, 'random').mockReturnValue(dice)
    onTestFinished(() => void vi.restoreAllMocks())
    const server = await keyServer(status(503, headers))
    const { verify, pass } = worldOf({ jwksUri: server.url })
    const times: number[] = []
    for (let quarter = 0; quarter < seconds * 4; quarter++) {
      const before = server.requests.length
      expect(await verify(strayToken('k'))).toBe(503)
      if (server.requests.length > before) times.push(quarter / 4)
      pass(0.25)
    }
    return times
  }

  it('is asked after 1, 2, 4, 8, 16, 32 seconds and then once a minute', async () => {
    expect(await attempts(200, 0)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183])
  })

  it('is asked up to a quarter earlier, so that not all servers return at the same moment', async () => {
    expect(await attempts(60, 1)).toEqual([0, 0.75, 2.25, 5.25, 11.25, 23.25, 47.25])
  })

  it('is left alone for as long as it asks, up to a minute', async () => {
    expect(await attempts(65, 0, { 'retry-after': '20' })).toEqual([0, 20, 40, 60])
    expect(await attempts(130, 0, { 'retry-after': '86400' })).toEqual([0, 60, 120])
  })
})

describe('keys that change', () => {
  it('FL-54 J01 B-74 B-78 rotate every second under 64 callers: no false verdict, one fetch at a time, one in 30 s', async () => {
    const seconds = 200
    const kept = 40
    const pairs: KeyPair[] = []
    /** Ids of the keys in the last answer: what the verifier knows. */
    let served: string[] = []
    let inFlight = 0
    let most = 0
    const server = await keyServer(async (request, response) => {
      inFlight += 1
      most = Math.max(most, inFlight)
      // Long enough for all callers to come by meanwhile.
      for (let turns = 0; turns < 5; turns++) await turn()
      const keys = pairs.slice(-kept).flatMap((pair) => pair.jwks().keys)
      served = keys.map(({ kid }) => kid)
      inFlight -= 1
      json({ keys })(request, response)
    })
    const { verify, pass } = worldOf({ jwksUri: server.url })
    const stranger = await Ed25519KeyPair.generate()
    const tokens: { readonly kid: string; readonly token: string; readonly forged: string }[] = []
    let late = 0

    for (let second = 0; second < seconds; second++) {
      const pair = await Ed25519KeyPair.generate()
      pairs.push(pair)
      const { kid } = pair
      tokens.push({ kid, token: await tokenOf(pair), forged: await tokenOf(stranger, kid) })
      // The newest, those around the end of their life, and some in between.
      const asked = Array.from({ length: 32 }, (_, at) => tokens.at(-1 - ((at * 7) % (kept + 40)))).flatMap(
        (one) => one ?? [],
      )
      const before = served
      const verdicts = await Promise.all(
        asked.flatMap(({ token, forged }) => [verify(token), verify(forged)]),
      )
      for (const [at, one] of asked.entries()) {
        const wasKnown = before.includes(one.kid)
        const isKnown = served.includes(one.kid)
        if (wasKnown && isKnown) expect(verdicts[at * 2]).toBe(200)
        if (!wasKnown && !isKnown) expect(verdicts[at * 2]).toBe(401)
        expect(verdicts[at * 2 + 1]).toBe(401)
      }
      // Within one cool-down every key that is published was accepted.
      if (second >= 30 && !served.includes(tokens[second - 30]?.kid ?? '')) late += 1
      pass(1)
    }
    expect(late).toBe(0)
    expect(most).toBe(1)
    expect(server.requests).toHaveLength(1 + Math.floor((seconds - 1) / 30))
  })

  it.each([
    ['one key', 1],
    ['no key at all', 0],
  ])(
    'FL-49 FL-50 J03 B-76 10,000 invented ids in 100 s, %s in the set: four fetches, every verdict right',
    async (_name, published) => {
      const pair = await Ed25519KeyPair.generate()
      const server = await keyServer(json({ keys: pair.jwks().keys.slice(0, published) }))
      const { verify, pass } = worldOf({ jwksUri: server.url })
      const good = await tokenOf(pair)
      const verdicts = { stray: new Set<number>(), good: new Set<number>() }
      for (let round = 0; round < 100; round++) {
        const stray = Array.from({ length: 100 }, (_, at) => verify(strayToken(`${round}-${at}`)))
        const valid = Array.from({ length: 10 }, () => verify(good))
        for (const verdict of await Promise.all(stray)) verdicts.stray.add(verdict)
        for (const verdict of await Promise.all(valid)) verdicts.good.add(verdict)
        pass(1)
      }
      expect([...verdicts.stray]).toEqual([401])
      expect([...verdicts.good]).toEqual([published === 1 ? 200 : 401])
      expect(server.requests).toHaveLength(4)
    },
  )

  it('B-74 J15 10,000 invented ids while the issuer fails: as many fetches as without them, and good keys pass', async () => {
    const pair = await Ed25519KeyPair.generate()
    const server = await keyServer(json(pair.jwks()))
    const { verify, pass } = worldOf({ jwksUri: server.url })
    const good = await tokenOf(pair)
    expect(await verify(good)).toBe(200)
    server.answer = status(500)
    pass(31)
    for (let round = 0; round < 100; round++) {
      const stray = Array.from({ length: 100 }, (_, at) => verify(strayToken(`${round}-${at}`)))
      expect(new Set(await Promise.all([verify(good), ...stray]))).toEqual(new Set([200, 503]))
      expect(await verify(good)).toBe(200)
      pass(0.6)
    }
    expect(server.requests.length).toBeLessThanOrEqual(1 + 8)
  })
})

describe('B-77 B-78 how long keys are fresh', () => {
  it.each([
    ['3500', 100],
    ['3599', 60],
    ['7200', 60],
    ['soon', 3600],
    ['-1', 3600],
  ])('an answer for an hour that is %s seconds old already is fresh for %i', async (age, seconds) => {
    const [old, young] = [await Ed25519KeyPair.generate(), await Ed25519KeyPair.generate()]
    const server = await keyServer(json(old.jwks(), { 'cache-control': 'max-age=3600', age }))
    const { verify, pass } = worldOf({ jwksUri: server.url })
    const token = await tokenOf(old)
    expect(await verify(token)).toBe(200)
    server.answer = json(young.jwks())
    pass(seconds - 1)
    expect(await verify(token)).toBe(200)
    pass(1)
    expect(await verify(token)).toBe(401)
  })
})

it('FL-71 a fetch of the operator that tells of its proxy puts no password into the log', async () => {
  const fetch = () => Promise.reject(new TypeError('no way through http://user:hunter2@proxy.example:3128'))
  const { verify, reasons } = worldOf({ jwksUri: 'https://as.example.com/jwks' }, { fetch })
  expect(await verify(strayToken('k'))).toBe(503)
  expect(reasons()).toEqual(['no way through http://[redacted]@proxy.example:3128'])
})

describe('a clock that was set back while keys were known', () => {
  /** As when a machine starts with a wrong clock, and asks for the time only after its first requests. */
  const year = 365 * 86_400
  const endless = (pair: KeyPair) =>
    pair.createToken({ issuer, audience, additionalClaims: { exp: undefined, iat: undefined } })

  it('B-74 B-78 does not make old keys young: a new key is found, and a removed one ends', async () => {
    const [old, young] = [await Ed25519KeyPair.generate(), await Ed25519KeyPair.generate()]
    const server = await keyServer(json(old.jwks()))
    const { verify, pass } = worldOf({ jwksUri: server.url, rules: { allowMissingExp: true } })
    pass(year)
    expect(await verify(await endless(old))).toBe(200)
    pass(-year)
    server.answer = json(young.jwks())
    expect(await verify(await endless(young))).toBe(200)
    expect(await verify(await endless(old))).toBe(401)
    expect(server.requests).toHaveLength(2)
  })

  it('B-77 J16 does not lengthen the hour of grace either', async () => {
    const pair = await Ed25519KeyPair.generate()
    const server = await keyServer(json(pair.jwks()))
    const { verify, pass } = worldOf({ jwksUri: server.url, rules: { allowMissingExp: true } })
    const token = await endless(pair)
    pass(year)
    expect(await verify(token)).toBe(200)
    pass(-year)
    server.answer = status(500)
    expect(await verify(token)).toBe(200)
    pass(3599)
    expect(await verify(token)).toBe(200)
    pass(1)
    expect(await verify(token)).toBe(503)
  })
})

describe('a clock that was set back during an outage', () => {
  it('B-75 J13 does not make a short pause long', async () => {
    const pair = await Ed25519KeyPair.generate()
    const server = await keyServer(status(500))
    const { verify, pass } = worldOf({ jwksUri: server.url })
    const token = await tokenOf(pair)
    pass(3600)
    expect(await verify(token)).toBe(503)
    pass(-3600)
    server.answer = json(pair.jwks())
    expect(await verify(token)).toBe(200)
  })
})

describe('a process of its own', () => {
  const run = promisify(execFile)

  /** Bundles a program that imports `mcp-bearer/verify`, and runs it to its end: nobody ends it but itself. */
  async function runProgram(code: string, url: string): Promise<unknown> {
    const file = await bundledProgram(code)
    // An unhandled rejection would end it with another code than 0, and `run` would reject.
    const { stdout, stderr } = await run(process.execPath, ['--expose-gc', file, url], { timeout: 55_000 })
    expect(stderr).toBe('')
    return JSON.parse(stdout)
  }

  const beginning = `
    import { jwtVerifier } from 'mcp-bearer/verify'
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const rest = encode(${JSON.stringify({ ...goodClaims, exp: now + 86_400 })}) + '.' + 'A'.repeat(86)
    const stray = (kid) => encode({ alg: 'EdDSA', typ: 'JWT', kid }) + '.' + rest
    let time = ${now * 1000}
    const verifier = jwtVerifier(
      { jwksUri: process.argv[2], issuer: '${issuer}', audience: '${audience}', algorithm: 'EdDSA' },
      { clock: () => time, logger: () => {} },
    )
    const verify = (token) => verifier.verifyToken(token).then((found) => found && 'good', (error) => error.code)
  `

  it('J14 B-76 100,000 invented ids leave nothing behind, nor do others while the issuer fails', async () => {
    const server = await keyServer(json({ keys: [] }))
    server.answer = (request, response) =>
      (server.requests.length === 1 ? json({ keys: [] }) : status(500))(request, response)
    const report = await runProgram(
      `${beginning}
      const verdicts = new Set()
      async function flood(name, count) {
        for (let at = 0; at < count; at += 100) {
          const all = Array.from({ length: 100 }, (_, one) => verify(stray(name + (at + one) + 'x'.repeat(50))))
          for (const verdict of await Promise.all(all)) verdicts.add(verdict)
        }
        global.gc()
        const { heapUsed, external } = process.memoryUsage()
        return heapUsed + external
      }
      const growth = []
      for (const [seconds, count] of [[0, 100_000], [31, 20_000]]) {
        time += seconds * 1000
        const before = await flood('warm', 2_000)
        growth.push((await flood('cold', count)) - before)
      }
      console.log(JSON.stringify({ growth, verdicts: [...verdicts] }))`,
      server.url,
    )
    expect(report).toEqual({
      growth: [expect.any(Number), expect.any(Number)],
      verdicts: [null, 'verifier_unavailable'],
    })
    // 100,000 digests would be more than 4 MB, the ids themselves 8.
    const { growth } = report as { readonly growth: readonly number[] }
    expect(Math.max(...growth)).toBeLessThan(3_000_000)
  }, 60_000)

  it('B-83 ends by itself when there is nothing left to do: no timer and no socket of ours holds it', async () => {
    const pair = await Ed25519KeyPair.generate()
    const server = await keyServer(json(pair.jwks()))
    const verdicts = await runProgram(
      `${beginning}
      console.log(JSON.stringify([await verify(${JSON.stringify(await tokenOf(pair))}), await verify(stray('k'))]))`,
      server.url,
    )
    expect(verdicts).toEqual(['good', null])
  })

  it('B-83 ends by itself when it is closed during a fetch that nobody would ever answer', async () => {
    const server = await keyServer(() => {})
    const verdicts = await runProgram(
      `${beginning}
      const waiting = [verify(stray('a')), verify(stray('b'))]
      setImmediate(() => verifier.close())
      console.log(JSON.stringify(await Promise.all(waiting)))`,
      server.url,
    )
    expect(verdicts).toEqual(['verifier_unavailable', 'verifier_unavailable'])
  })
})
