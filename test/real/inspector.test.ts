import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { cli, installed } from './programs.ts'
import { afterThem, folder, type Gate, newKey, protect } from './protect.ts'

/** The inspector needs a newer Node than this package. */
const { node } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../.gateway/node.json', import.meta.url)), 'utf8'),
)

const atEnd = afterThem()
let home: string
let key: string
let gate: Gate

beforeAll(async () => {
  home = await folder(atEnd)
  const db = `${home}/keys.db`
  key = await newKey(db, 'ada')
  gate = await protect(['--keys', db, '--', installed('mcp-server-everything')], {}, atEnd)
})

interface Shown {
  readonly code: number
  readonly text: string
  readonly errors: string
}

/** Runs the inspector's command line, as a person without a screen does. */
function inspector(...words: readonly string[]): Promise<Shown> {
  const env = { PATH: process.env.PATH, HOME: home, NO_COLOR: '1' }
  return new Promise((resolve) => {
    const child = execFile(
      node,
      [installed('mcp-inspector'), '--cli', ...words],
      { env, timeout: 60_000 },
      (error, text, errors) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, text, errors }),
    )
    child.stdin?.end()
  })
}

/** Through `mcp-bearer connect`, as a host that speaks only stdio. */
function connect(token: string, ...words: readonly string[]): Promise<Shown> {
  const command = [process.execPath, cli, 'connect', gate.url, '--auth', 'env:KEY']
  return inspector('-e', `KEY=${token}`, ...words, '--', ...command)
}

/** Straight to the gateway. */
function direct(token: string, ...words: readonly string[]): Promise<Shown> {
  return inspector(gate.url, '--header', `Authorization: Bearer ${token}`, ...words)
}

describe.each([
  ['through connect', connect],
  ['directly', direct],
] as const)('the MCP Inspector %s', (_, ask) => {
  test('FL-108 lists tools', async () => {
    const { code, text, errors } = await ask(key, '--method', 'tools/list')
    expect([code, errors]).toEqual([0, expect.not.stringContaining('rror')])
    const { tools } = JSON.parse(text)
    expect(tools.map(({ name }: { name: string }) => name)).toContain('get-sum')
  })

  test('calls a tool', async () => {
    const words = ['--tool-name', 'get-sum', '--tool-arg', 'a=1', '--tool-arg', 'b=2']
    const { code, text } = await ask(key, '--method', 'tools/call', ...words)
    expect(code).toBe(0)
    expect(JSON.parse(text).content).toEqual([{ type: 'text', text: 'The sum of 1 and 2 is 3.' }])
  })

  test('reads a resource', async () => {
    const uri = 'demo://resource/dynamic/text/7'
    const { code, text } = await ask(key, '--method', 'resources/read', '--uri', uri)
    expect(code).toBe(0)
    expect(JSON.parse(text).contents).toEqual([
      { uri, mimeType: 'text/plain', text: expect.stringContaining('Resource 7') },
    ])
  })

  test('gets a prompt', async () => {
    const words = ['--prompt-name', 'args-prompt', '--prompt-args', 'city=Bonn']
    const { code, text } = await ask(key, '--method', 'prompts/get', ...words)
    expect(code).toBe(0)
    expect(JSON.parse(text).messages[0].content.text).toBe("What's weather in Bonn?")
  })
})

describe('a token that is refused', () => {
  test('is told to a host behind connect in words, without the token', async () => {
    const wrong = `${key.slice(0, -4)}AAAA`
    const { code, text, errors } = await connect(wrong, '--method', 'tools/list')
    expect(code).not.toBe(0)
    expect(text).toBe('')
    expect(errors).toMatch(/KEY is set but .* does not accept it/)
    expect(errors).not.toContain(wrong)
  })

  test('is a 401 that the inspector understands', async () => {
    const { code, text, errors } = await direct('wrong', '--stored-auth-only', '--method', 'tools/list')
    expect(code).toBe(3)
    expect(text).toBe('')
    expect(errors).toContain('auth_required')
  })
})
