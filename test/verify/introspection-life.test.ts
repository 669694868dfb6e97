import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { type IntrospectionVerifierOptions, introspectionVerifier } from 'mcp-bearer/verify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bundledProgram } from './bundled-program.ts'
import { audience, quiet } from './forge.ts'
import {
  client,
  fails,
  good,
  hangs,
  type IntrospectionServer,
  introspecting,
  introspectionServer,
  says,
  tokens,
} from './introspection-server.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const endpoint = 'https://as.example.com/introspect'

describe('when it is made', () => {
  const make = (options: object, environment: object = {}) =>
    introspectionVerifier({ endpoint, client, audience, ...options } as IntrospectionVerifierOptions, {
      logger: quiet,
      ...environment,
    })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no absolute URL', '/introspect'],
    ['plain http', 'http://as.example.com/introspect'],
    ['another protocol', 'file:///etc/passwd'],
    ['a user name', 'https://user:hush@as.example.com/'],
    ['a private address', 'https://10.0.0.1/introspect'],
    ['a private address in disguise', 'https://0x0a000001/introspect'],
    ['a private address of IPv6', 'https://[fd00::1]/'],
    ['carrier-grade NAT', 'https://100.64.0.1/'],
    ['cloud metadata', 'https://169.254.169.254/latest'],
    ['cloud metadata as IPv6', 'https://[::ffff:169.254.169.254]/'],
    ['no address at all', 'https://0.0.0.0/'],
  ])('B-79 refuses %s as endpoint, names the option, and repeats no password', (_name, value) => {
    const act = () => make({ endpoint: value })
    expect(act).toThrow(TypeError)
    expect(act).toThrow(/^endpoint/)
    expect(act).not.toThrow(/hush/)
  })

  it('B-79 takes this machine, and private addresses with allowPrivateNetwork, but no metadata', () => {
    for (const value of [
      'http://127.0.0.1:1/i',
      'http://localhost:1/i',
      'http://[::1]:1/i',
      new URL(endpoint),
    ]) {
      expect(make({ endpoint: value })).toHaveProperty('verifyToken')
    }
    const inside = { allowPrivateNetwork: true }
    expect(make({ endpoint: 'https://10.0.0.1/i' }, inside)).toHaveProperty('verifyToken')
    expect(() => make({ endpoint: 'https://169.254.169.254/i' }, inside)).toThrow(/^endpoint/)
    expect(() => make({ endpoint: 'http://10.0.0.1/i' }, inside)).toThrow(/^endpoint/)
  })

  it.each<[string, object, string]>([
    ['no client', { client: undefined }, 'client'],
    ['a client that is no function', { client: { id: 'a', secret: 'hush' } }, 'client'],
    ['an unknown option', { audiences: 'a' }, 'audiences'],
    ['an audience that was not set', { audience: undefined }, 'audience'],
    ['an empty audience', { audience: '' }, 'audience'],
    ['an empty list of audiences', { audience: [] }, 'audience'],
    ['an issuer that was not set', { issuer: undefined }, 'issuer'],
    ['an issuer that is no text', { issuer: [7] }, 'issuer'],
    ['scopes that were not set', { requiredScopes: undefined }, 'requiredScopes'],
    ['scopes in one text', { requiredScopes: 'mcp:read' }, 'requiredScopes'],
    ['allowMissingAudience as text', { allowMissingAudience: 'false' }, 'allowMissingAudience'],
    ['a clock skew below 0', { clockSkew: -1 }, 'clockSkew'],
    ['a clock skew above 300', { clockSkew: 301 }, 'clockSkew'],
    ['a maxAge of 0', { maxAge: 0 }, 'maxAge'],
    ['a maxAge above 60', { maxAge: 61 }, 'maxAge'],
    ['a maxAge that is no number', { maxAge: Number.NaN }, 'maxAge'],
    ['another kind of tokens', { tokens: 'jwt' }, 'tokens'],
  ])('B-63 B-95 refuses %s, and names the option', (_name, options, option) => {
    const act = () => make(options)
    expect(act).toThrow(TypeError)
    expect(act).toThrow(new RegExp(`\\b${option}\\b`))
    expect(act).not.toThrow(/hush/)
  })

  it('B-90 asks nobody anything', async () => {
    const server = await introspectionServer(says(good))
    introspecting(server.url)
    expect(server.questions).toEqual([])
  })
})

describe('when it is closed', () => {
  it('B-83 ends what is under way, without a line of log, and nothing is asked any more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const server = await introspectionServer(says(good))
    const { verifier, verify, logged } = introspecting(server.url)
    expect(await verify('tok-1')).toBe(200)
    const hungUp = new Promise<void>((resolve) => {
      server.answer = (_question, response) => {
        once(response, 'close').then(() => resolve())
        verifier.close?.()
      }
    })
    expect(await verify('tok-2')).toBe(503)
    await hungUp
    expect(await verify('tok-3')).toBe(503)
    expect(await verify('tok-1')).toBe(200)
    expect(server.questions).toHaveLength(2)
    expect(logged).toEqual([])
  })

  it('B-83 ends its own question as well, and calls that no outage', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const server = await introspectionServer(fails(500))
    const { verifier, verify, logged } = introspecting(server.url)
    const hungUp = new Promise<void>((resolve) => {
      server.answer = (question, response) => {
        if (question.token === 'tok-1') return fails(500)(question, response)
        once(response, 'close').then(() => resolve())
        verifier.close?.()
      }
    })
    expect(await verify('tok-1')).toBe(503)
    await hungUp
    expect(await verify('tok-2')).toBe(503)
    expect(server.questions).toHaveLength(2)
    expect(logged).toEqual([])
  })

  it('B-83 keeps nothing of questions that are answered', async () => {
    const server = await introspectionServer(says(good))
    const { verifier, verify } = introspecting(server.url)
    const next = tokens('tok')
    for (let time = 0; time < 5; time++) await verify(next())
    const abort = vi.spyOn(AbortController.prototype, 'abort')
    verifier.close?.()
    expect(abort).not.toHaveBeenCalled()
  })

  it('B-83 a hundred questions at once are no leak in the eyes of Node', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const server = await introspectionServer(says(good))
    const { verify } = introspecting(server.url)
    const next = tokens('tok')
    await Promise.all(Array.from({ length: 100 }, () => verify(next())))
    process.off('warning', note)
    expect(warnings).toEqual([])
  })
})

describe('a process of its own', () => {
  const run = promisify(execFile)

  /**
   * Runs a program that imports `mcp-bearer/verify`, to its end: nobody ends it but itself. Its verifier is closed when
   * so many questions have arrived.
   */
  async function runProgram(code: string, server: IntrospectionServer, questions: number): Promise<string> {
    const file = await bundledProgram(beginning + code)
    // Another code than 0, as that of an unhandled rejection, makes `run` reject.
    const running = run(process.execPath, [file, server.url], { timeout: 20_000 })
    const { answer } = server
    server.answer = (question, response) => {
      answer(question, response)
      if (server.questions.length === questions) running.child.stdin?.end()
    }
    const { stdout, stderr } = await running
    expect(stderr).toBe('')
    return stdout.trim()
  }

  const beginning = `
    import { clientSecretBasic, introspectionVerifier } from 'mcp-bearer/verify'
    const verifier = introspectionVerifier(
      { endpoint: process.argv[2], client: clientSecretBasic('a', 'b') },
      { logger: () => {} },
    )
    const verdict = (token) => verifier.verifyToken(token).then((found) => found !== null, ({ code }) => code)
    process.stdin.resume().on('end', () => verifier.close())
  `

  it('B-83 ends by itself when the verifier is closed, although the endpoint hangs', async () => {
    const server = await introspectionServer(hangs)
    const code = `console.log(...(await Promise.all(['t1', 't2', 't1'].map(verdict))))`
    expect(await runProgram(code, server, 2)).toBe(Array(3).fill('verifier_unavailable').join(' '))
  })

  it('B-83 ends by itself after a good answer and a failure, its own question still under way', async () => {
    const server = await introspectionServer((question, response) => {
      if (question.token === 'good') says({ ...good, exp: undefined })(question, response)
      if (question.token === 'bad') response.destroy()
      // Our own question is never answered.
    })
    const code = `console.log(await verdict('good'), await verdict('bad'))`
    expect(await runProgram(code, server, 3)).toBe('true verifier_unavailable')
  })
})
