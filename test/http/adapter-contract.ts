import type { TokenVerifier } from 'mcp-bearer'
import type { BearerGateOptions } from 'mcp-bearer/node'
import { afterEach, expect, it } from 'vitest'
import { askRaw, goodToken, knowing, openConnection, post, request } from './support.ts'

/** What a handler behind an adapter saw of a request. */
export interface Seen {
  readonly clientId: string | undefined
  /** What the ambient identity was. */
  readonly ambient: string | undefined
  /** The credential headers it could read. */
  readonly credentials: readonly (string | null | undefined)[]
  readonly body: string
}

/** A framework with a protected handler in it. The handler reports what it saw and answers it as JSON, status 200. */
export type StartFramework = (
  options: BearerGateOptions,
  report: (seen: Seen) => void,
) => Promise<{ readonly port: number; close(): Promise<void> }>

const verifier = (): TokenVerifier & { readonly asked: string[] } =>
  knowing({
    [goodToken]: { token: goodToken, clientId: 'alice', scopes: ['mcp:read'] },
    low: { token: 'low', clientId: 'bob', scopes: [] },
  })

/** Every adapter does this, whatever framework it is for. */
export function adapterContract(start: StartFramework): void {
  let running: { readonly port: number; close(): Promise<void> } | undefined

  afterEach(async () => {
    await running?.close()
    running = undefined
  })

  async function started(options: Partial<BearerGateOptions> = {}) {
    const seen: Seen[] = []
    const asked = verifier()
    running = await start({ verifier: asked, requiredScopes: ['mcp:read'], ...options }, (one) => {
      seen.push(one)
    })
    return { port: running.port, seen, asked: asked.asked }
  }

  it('A-30 refuses a request without a token, and the handler is not reached', async () => {
    const { port, seen, asked } = await started()
    const answer = await askRaw(port, post())
    expect(answer.statusLine).toBe('HTTP/1.1 401 Unauthorized')
    expect(answer.header('www-authenticate')).toEqual(['Bearer realm="mcp", scope="mcp:read"'])
    expect(answer.body).toBe('{"error":"unauthorized","error_description":"Authentication required"}')
    expect(seen).toEqual([])
    expect(asked).toEqual([])
  })

  it('A-01 lets a good token in; the handler knows the caller and reads the body', async () => {
    const { port, seen } = await started()
    const answer = await askRaw(port, post(`Authorization: Bearer ${goodToken}`))
    expect(answer.status).toBe(200)
    expect(seen).toMatchObject([{ clientId: 'alice', ambient: 'alice', body: '{"a":1}' }])
  })

  it('A-08 refuses two Authorization lines, even when they are equal', async () => {
    const { port, seen, asked } = await started()
    const line = `Authorization: Bearer ${goodToken}`
    const answer = await askRaw(port, post(line, line))
    expect(answer.status).toBe(400)
    expect(answer.header('www-authenticate')[0]).toContain('error="invalid_request"')
    expect(seen).toEqual([])
    expect(asked).toEqual([])
  })

  it('FL-30 refuses a second Authorization line of another scheme', async () => {
    const { port, seen } = await started()
    const answer = await askRaw(port, post('Authorization: Basic eA==', `Authorization: Bearer ${goodToken}`))
    expect(answer.status).toBe(400)
    expect(seen).toEqual([])
  })

  it('A-40 refuses a token without the scope, naming it', async () => {
    const { port, seen } = await started()
    const answer = await askRaw(port, post('Authorization: Bearer low'))
    expect(answer.status).toBe(403)
    expect(answer.header('www-authenticate')[0]).toContain('error="insufficient_scope"')
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'insufficient_scope', scope: 'mcp:read' })
    expect(seen).toEqual([])
  })

  it('A-16 FL-25 refuses before a byte of the body has come', async () => {
    const { port, seen } = await started()
    const endless = request('POST /mcp HTTP/1.1', ['Content-Length: 104857600'])
    expect((await askRaw(port, endless)).status).toBe(401)
    expect(seen).toEqual([])
  })

  it('A-72 answers HEAD with the same headers and no body', async () => {
    const { port } = await started()
    const [get, head] = await Promise.all([
      askRaw(port, request('GET /mcp HTTP/1.1', [])),
      askRaw(port, request('HEAD /mcp HTTP/1.1', [])),
    ])
    expect(head.status).toBe(401)
    expect(head.body).toBe('')
    expect(head.header('www-authenticate')).toEqual(get.header('www-authenticate'))
  })

  it('A-14 A-15 authenticates each request of a connection', async () => {
    const { port, seen } = await started()
    const connection = openConnection(port)
    const good = post(`Authorization: Bearer ${goodToken}`)
    expect((await connection.ask(good)).status).toBe(200)
    expect((await connection.ask(request('GET /mcp HTTP/1.1', []))).status).toBe(401)
    expect((await connection.ask(good)).status).toBe(200)
    connection.close()
    expect(seen).toHaveLength(2)
  })

  it('A-12 reads an API-key header when it is named, and only then', async () => {
    const named = await started({ apiKeyHeader: 'X-API-Key' })
    const line = `X-API-Key: ${goodToken}`
    expect((await askRaw(named.port, post(line))).status).toBe(200)
    expect((await askRaw(named.port, post(line, line))).status).toBe(400)
    await running?.close()
    const unnamed = await started()
    expect((await askRaw(unnamed.port, post(line))).status).toBe(401)
  })

  it('A-17 FL-74 takes the credential out of the headers the handler sees', async () => {
    const { port, seen } = await started({ apiKeyHeader: 'x-api-key' })
    await askRaw(port, post(`Authorization: Bearer ${goodToken}`, 'X-API-Key:'))
    await askRaw(port, post(`X-API-Key: ${goodToken}`))
    expect(seen.map(({ credentials }) => credentials.map((value) => value ?? ''))).toEqual([
      ['', ''],
      ['', ''],
    ])
  })

  it('A-45 FL-45 fails closed when the verifier throws', async () => {
    const { port, seen } = await started({
      verifier: { verifyToken: () => Promise.reject(new Error('db password wrong for root@10.0.0.5')) },
      logger: () => {},
    })
    const answer = await askRaw(port, post(`Authorization: Bearer ${goodToken}`))
    expect(answer.status).toBe(500)
    expect(answer.body).toBe('{"error":"server_error"}')
    expect(seen).toEqual([])
  })

  it('FL-16 keeps the ambient identity of concurrent requests apart', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `caller-${index}`)
    const { port } = await started({
      requiredScopes: [],
      verifier: knowing(Object.fromEntries(names.map((name) => [name, { token: name, clientId: name }]))),
    })
    const answers = await Promise.all(
      names.map((name) => askRaw(port, post(`Authorization: Bearer ${name}`))),
    )
    expect(answers.map((answer) => /"ambient":"([^"]+)"/.exec(answer.body)?.[1])).toEqual(names)
  })
}
