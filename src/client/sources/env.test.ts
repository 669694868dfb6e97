import { afterEach, expect, it, vi } from 'vitest'
import { envToken } from './env.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const request = { url: 'https://mcp.example.com/mcp' }

it('is called by the name of its variable', () => {
  vi.stubEnv('MCP_API_KEY', 'sk-abc123')
  expect(envToken('MCP_API_KEY').name).toBe('MCP_API_KEY')
})

it('E-10 reads the variable for each request, without quotes and the line break at the end', async () => {
  vi.stubEnv('MCP_API_KEY', 'sk-abc123')
  const source = envToken('MCP_API_KEY')
  expect(await source.token(request)).toBe('sk-abc123')
  vi.stubEnv('MCP_API_KEY', '"Bearer sk-next"\n')
  expect(await source.token(request)).toBe('sk-next')
})

it('FL-77 a variable that is gone later is an error that names it', async () => {
  vi.stubEnv('MCP_API_KEY', 'sk-abc123')
  const source = envToken('MCP_API_KEY')
  vi.stubEnv('MCP_API_KEY', undefined)
  await expect(source.token(request)).rejects.toMatchObject({
    code: 'token_unavailable',
    message: 'No token: the environment variable MCP_API_KEY is not set',
  })
})
