import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fixture, partedFixture, plainFixture, SecretFinder } from '../client/capture.ts'
import { echo, places, writings } from '../client/capture-echo.ts'
import { closeServers, listen } from '../client/servers.ts'
import { main } from './demo.ts'

const secrets = { token: fixture('token'), jwt: partedFixture('jwt'), key: plainFixture('key') }
const { token, jwt, key } = secrets
const finder = new SecretFinder(secrets)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-leaks-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
  await closeServers()
})

/** Runs the command as a user does, and gives all it printed, the warnings of Node included. */
async function printed(argv: readonly string[], input = ''): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, ['--trace-warnings', main, ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', CAPTURE_TOKEN: token },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, text }
}

async function expectNoSecretPrinted(argv: readonly string[], input?: string): Promise<void> {
  const { code, text } = await printed(argv, input)
  expect(code).not.toBe(0)
  expect(text).not.toBe('')
  expect(finder.find(text)).toBeUndefined()
}

/** One place of each kind. */
const kinds = ['the challenge of 401', 'a page of 403', 'JSON-RPC of 500', 'the reason', 'a redirect here']

describe('E-61 the program does not print a secret', () => {
  it.each(kinds)('that a server repeats in %s', async (kind) => {
    const place = places.find(([name]) => name === kind)?.[1]
    const writing = writings[0]?.[1]
    const { url } = await listen(echo(writing!, place!))
    const words = [url, '--header', `X-API-Key: ${key}`, '--timeout', '5']
    await Promise.all([
      expectNoSecretPrinted(['ping', ...words, '--auth', 'env:CAPTURE_TOKEN']),
      expectNoSecretPrinted(['tools', ...words, '--auth', '-', '--json'], jwt),
      expectNoSecretPrinted(['call', ...words, 'echo', '--auth', token]),
    ])
  })

  it.each<[string, string[], string?]>([
    ['a token that cannot be one', ['ping', 'http://localhost:1/mcp', '--auth', `${token} ${key}`]],
    ['a token as a variable', ['ping', 'http://localhost:1/mcp', '--auth', `env:${token}`]],
    ['a token on standard input', ['tools', 'http://localhost:1/mcp', '--auth', '-'], `${token}\n${key}`],
    ['an unknown option', ['tools', 'http://localhost:1/mcp', `--token=${token}`]],
    ['nobody there', ['read', `http://localhost:1/mcp?key=${key}`, '--auth', token]],
  ])('of %s', async (_what, argv, input) => {
    await expectNoSecretPrinted(argv, input)
  })

  it('of a configuration', async () => {
    const path = join(folder, 'mcp.json')
    for (const text of [
      `{"mcpServers":{"a":{"url":"http://localhost:1/mcp","auth":"${token}"`,
      `{"mcpServers":{"a":{"url":"http://localhost:1/mcp","auth":"${token} ${key}"}}}`,
      `{"mcpServers":{"a":{"command":"no-such-program","args":["${token}"],"env":{"KEY":"${key}"}}}}`,
    ]) {
      await writeFile(path, text)
      await expectNoSecretPrinted(['ping', 'a', '--config', path])
    }
  })
})
