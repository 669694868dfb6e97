import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MCPClient, type MCPClientConfig } from 'mcp-bearer/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-save-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** What is in the file after saving. */
async function saved(config: unknown): Promise<string> {
  const path = join(folder, 'saved.json')
  await new MCPClient(config as MCPClientConfig, { logger: () => {} }).save(path)
  return readFile(path, 'utf8')
}

describe('saving the arguments of a command', () => {
  it.each([
    [['-HX-Api-Key: hunter-two']],
    [['X-Api-Key:hunter-two']],
    [['run', 'token: hunter-two']],
    [['-u', 'user:hunter-two']],
    [['--user', 'user:hunter-two']],
    [['--proxy-user', ':hunter-two']],
  ])('%j shows no secret', async (args) => {
    expect(await saved({ mcpServers: { a: { command: 'run', args } } })).not.toContain('hunter-two')
  })

  it.each([
    [['--user', '1000:1000']],
    [['-u', 'somebody']],
    [['https://auth.example.com:8443/mcp', 'auth://x']],
  ])('%j stays what it is', async (args) => {
    const text = await saved({ mcpServers: { a: { command: 'run', args } } })
    expect(JSON.parse(text).mcpServers.a.args).toEqual(args)
  })
})

describe('names that objects have of themselves', () => {
  it('are servers and headers like any other, and are saved as such', async () => {
    const config = JSON.parse(`{ "mcpServers": {
      "__proto__": { "url": "https://mcp.example.com/mcp", "headers": { "__proto__": "hunter-two" } },
      "constructor": { "url": "https://mcp.example.com/mcp", "auth": "hunter-two" }
    } }`)
    expect(new MCPClient(config, { logger: () => {} }).servers).toEqual(['__proto__', 'constructor'])
    const text = await saved(config)
    expect(text).not.toContain('hunter-two')
    expect(Object.keys(JSON.parse(text).mcpServers)).toEqual(['__proto__', 'constructor'])
    expect(({} as { auth?: unknown }).auth).toBeUndefined()
  })
})
