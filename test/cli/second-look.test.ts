import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { prompt } from '../../src/cli/commands/prompt.ts'
import { read } from '../../src/cli/commands/read.ts'
import { answer, closeServers, listen } from '../client/servers.ts'
import { run } from './support.ts'

let folder: string
const children = new Set<ChildProcess>()

/** The command as one file, from the sources, so that no build is needed. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-cli-'))
  const bundle = await rolldown({
    input: fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)),
    platform: 'node',
    external: /^node:/,
    transform: { target: 'node20' },
  })
  await bundle.write({ dir: folder, entryFileNames: 'main.mjs', chunkFileNames: '[name]-[hash].mjs' })
  await bundle.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await closeServers()
})

/** Runs the command in a process of its own. */
function start(...argv: string[]) {
  const child = spawn(process.execPath, [join(folder, 'main.mjs'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  return child
}

/** A server of 2025-11-25 that answers each method with what is given for it. */
async function serverOf(results: Readonly<Record<string, object>>) {
  return listen((request, response, body) => {
    if (request.method !== 'POST') return answer(405)(request, response, body)
    const { id, method } = JSON.parse(body)
    if (id === undefined) return answer(202)(request, response, body)
    const result = results[method]
    const error = { code: -32_601, message: 'no such method' }
    answer(200, {}, { jsonrpc: '2.0', id, ...(result ? { result } : { error }) })(request, response, body)
  })
}

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {}, resources: {}, prompts: {} },
  serverInfo: { name: 'some', version: '1' },
}

describe('a process', () => {
  it('whose reader has gone ends in peace, with the exit code of the command', async () => {
    const tools = Array.from({ length: 5000 }, (_tool, at) => ({
      name: `tool-${at}`,
      description: 'x'.repeat(100),
      inputSchema: { type: 'object' },
    }))
    const { url } = await serverOf({ initialize, 'tools/list': { tools } })
    const child = start('tools', url, '--json')
    child.stdout.once('data', () => child.stdout.destroy())
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, err]).toEqual([0, ''])
  })

  it('that is interrupted does not wait for the program that looks for a token, and ends it', async () => {
    const { url } = await serverOf({ initialize })
    const begun = join(folder, 'begun')
    const program = join(folder, 'slow.cjs')
    const script = `require('node:fs').writeFileSync(${JSON.stringify(begun)}, String(process.pid)); setInterval(() => {}, 1000)`
    writeFileSync(program, script)
    const child = start('ping', url, '--json', '--auth', `command:"${process.execPath}" "${program}"`)
    const out = text(child.stdout)
    await expect
      .poll(() => existsSync(begun) && readFileSync(begun, 'utf8'), { timeout: 10_000 })
      .toBeTruthy()
    const since = performance.now()
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    expect(code).toBe(130)
    expect(JSON.parse(await out)).toEqual({ error: { code: 'interrupted', message: 'Interrupted' } })
    expect(performance.now() - since).toBeLessThan(10_000)
    const pid = Number(readFileSync(begun, 'utf8'))
    await expect.poll(() => isThere(pid)).toBe(false)
  })
})

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that has ended stays in the list until its parent has looked.
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('lists', () => {
  it('have one line for each entry, whatever the server calls it', async () => {
    const { url } = await serverOf({
      initialize,
      'resources/list': { resources: [{ uri: 'note://1', name: 'one\nnote://2  two' }] },
      'prompts/list': { prompts: [{ name: 'greet\nother', description: 'says\r\nhello' }] },
    })
    expect((await run(read, [url])).out).toBe('note://1  one note://2 two')
    expect((await run(prompt, [url])).out).toBe('greet other  says hello')
  })
})
