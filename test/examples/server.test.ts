import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuthError, Client, ToolError } from 'mcp-bearer/client'
import { LocalIssuer, RSAKeyPair } from 'mcp-bearer/issuer'
import { afterEach, describe, expect, it } from 'vitest'
import { type Running, runExample } from './harness.ts'

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()))
})

async function serve(
  name: string,
  env: Record<string, string> = {},
): Promise<{ url: string; program: Running }> {
  const program = runExample(`server/${name}`, { PORT: '0', ...env })
  open.push(program)
  const [, url] = await program.line(/^Listening on (\S+)$/)
  return { url: url!, program }
}

function client(url: string, auth?: string): Client {
  const made = auth === undefined ? new Client(url) : new Client(url, { auth })
  open.push({ stop: () => made.close() })
  return made
}

const text = async (url: string, auth: string, tool: string) => {
  const { content } = await client(url, auth).callTool(tool)
  return (content as { text: string }[])[0]?.text
}

const status = (url: string, auth: string | undefined, tool: string) =>
  client(url, auth)
    .callTool(tool)
    .then(() => 200)
    .catch((error: unknown) => (error instanceof AuthError ? error.status : error))

describe('the server examples', () => {
  it('static-key: a JWT of the key gets in, one of another key does not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-'))
    open.push({ stop: () => rm(folder, { recursive: true }) })
    const [own, foreign] = await Promise.all([RSAKeyPair.generate(), RSAKeyPair.generate()])
    await writeFile(join(folder, 'key.pem'), own.publicKey)
    const { url } = await serve('static-key', { PUBLIC_KEY_FILE: join(folder, 'key.pem') })
    const claims = { issuer: 'https://dev.example.com', audience: 'my-mcp-server' }
    expect(await text(url, await own.createToken(claims), 'ping_me')).toBe('pong')
    expect(await status(url, await foreign.createToken(claims), 'ping_me')).toBe(401)
    expect(await status(url, undefined, 'ping_me')).toBe(401)
  })

  it('jwks: a JWT of the issuer gets in, one for another audience does not', async () => {
    const issuer = await LocalIssuer.start({
      keyPair: await RSAKeyPair.generate({ algorithm: 'RS512' }),
      logger: () => {},
    })
    open.push({ stop: () => issuer.close() })
    const { url } = await serve('jwks', { JWKS_URI: issuer.jwksUri, ISSUER: issuer.issuer })
    expect(await text(url, await issuer.mint({ audience: 'my-mcp-server' }), 'ping_me')).toBe('pong')
    expect(await status(url, await issuer.mint({ audience: 'other' }), 'ping_me')).toBe(401)
  })

  it('rsa-key-pair: the printed token works', async () => {
    const { url, program } = await serve('rsa-key-pair')
    const [, token] = await program.line(/^Test token: (\S+)$/)
    expect(await text(url, token!, 'whoami')).toBe('dev-user')
  })

  it('sensitive-data: the tool answers with the scope and explains without it', async () => {
    const { url, program } = await serve('sensitive-data')
    const [, good] = await program.line(/^With the scope: (\S+)$/)
    const [, poor] = await program.line(/^Without it: (\S+)$/)
    const { structuredContent } = await client(url, good).callTool('get_my_data')
    expect(structuredContent).toEqual({
      user: 'dev-user',
      sensitive_data: 'Private data for dev-user',
      granted_scopes: ['data:read_sensitive'],
    })
    const refused = await client(url, poor)
      .callTool('get_my_data')
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ToolError)
    expect((refused as ToolError).message).toContain("'data:read_sensitive' scope required")
  })

  it('api-keys: whoami knows the owner of each key, and a stranger gets 401', async () => {
    const { url } = await serve('api-keys')
    expect(await text(url, 'sk-abc123', 'whoami')).toBe('Hello alice@example.com')
    expect(await text(url, 'sk-def456', 'whoami')).toBe('Hello bob@example.com')
    expect(await status(url, 'sk-unknown', 'whoami')).toBe(401)
    expect(await status(url, 'constructor', 'whoami')).toBe(401)
  })

  it('claims: a tool reads them', async () => {
    const { url } = await serve('claims')
    expect(await text(url, 'sk-abc123', 'get_user_plan')).toBe('alice@example.com is on the pro plan')
  })

  it('scopes: declared and demanded ones answer 403, looked-at ones are the tool’s own business', async () => {
    const { url } = await serve('scopes')
    expect(await text(url, 'sk-admin', 'delete_all')).toBe('Deleted')
    expect(await text(url, 'sk-admin', 'rename')).toBe('Renamed')
    expect(await text(url, 'sk-admin', 'is_admin')).toBe('yes')
    expect(await status(url, 'sk-reader', 'delete_all')).toBe(403)
    expect(await status(url, 'sk-reader', 'rename')).toBe(403)
    expect(await text(url, 'sk-reader', 'is_admin')).toBe('no')
    const names = (await client(url, 'sk-reader').listTools()).map((tool) => tool.name)
    expect(names).toEqual(['rename', 'is_admin'])
  })

  it('require-auth: the token is there, and what it lacks is said', async () => {
    const { url } = await serve('require-auth')
    const { structuredContent } = await client(url, 'sk-abc123').callTool('get_user_data')
    expect(structuredContent).toEqual({ email: 'alice@example.com' })
    expect(await text(url, 'sk-abc123', 'admin_action')).toBe('Admin scope required')
  })
})
