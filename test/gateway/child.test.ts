import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { startChild } from '../../src/gateway/command/child.ts'
import { doing, gatewayProgram, isAlive, isStubborn, node, program, watched } from './child-support.ts'

const message = (params: Record<string, unknown>, id?: number) =>
  ({ jsonrpc: '2.0', method: 'do', params, ...(id !== undefined && { id }) }) as const

describe('messages', () => {
  it('go to the process and come back, one a line, whatever is in them', async () => {
    const { child, message: said, story } = doing('echo')
    const params = { text: 'ä\n\u2028\r\n\u{1F511} "\\', list: [1, null, { __proto__: 1 }] }
    expect(child.isRunning).toBe(true)
    expect(child.send(message(params, 1))).toBe(true)
    expect(child.send(message({ n: 2 }, 2))).toBe(true)
    expect(await said(1)).toEqual({ jsonrpc: '2.0', id: 2, result: { n: 2 } })
    expect(story[0]).toEqual({ jsonrpc: '2.0', id: 1, result: params })
  })

  it('arrive all, before the exit is told', async () => {
    const { story, exit } = doing('farewell', ['5000'])
    expect(await exit).toMatchObject({ code: 7, signal: null, wasStopped: false })
    expect(story).toHaveLength(5001)
    expect(story[4999]).toMatchObject({ params: { n: 4999 } })
    expect(story[5000]).toMatchObject({ code: 7 })
  })

  it('come in half lines, with both kinds of line ends, in a batch, and without a line end at the end', async () => {
    const one = JSON.stringify({ jsonrpc: '2.0', method: 'a' })
    const parts = [`${one.slice(0, 5)}`, `${one.slice(5)}\r\n\n  \n`, `[${one},${one}]\n`, one]
    const script = `const parts = ${JSON.stringify(parts)}
      const next = () => parts.length > 0 ? process.stdout.write(parts.shift(), () => setTimeout(next, 5)) : process.exit(0)
      next()`
    const { story, exit, garbage } = watched({ command: node, args: ['-e', script], env: {} })
    await exit
    expect(story.slice(0, -1)).toEqual(Array(4).fill({ jsonrpc: '2.0', method: 'a' }))
    expect(garbage).toEqual([])
  })

  it('that are too much to wait for a process that never reads are not taken', async () => {
    const { child, exit } = doing('deaf')
    const big = message({ text: 'x'.repeat(1_000_000) })
    let taken = 0
    while (taken < 100 && child.send(big)) taken++
    expect(taken).toBeGreaterThanOrEqual(16)
    expect(taken).toBeLessThanOrEqual(18)
    await child.stop()
    expect(await exit).toMatchObject({ signal: 'SIGTERM', wasStopped: true })
    expect(child.send(message({}))).toBe(false)
  })

  it('of which one is larger than all that may wait goes alone', async () => {
    const { child, message: said } = doing('echo', [], { maxLineBytes: 40_000_000 })
    const text = 'x'.repeat(20_000_000)
    expect(child.send(message({ text }, 1))).toBe(true)
    expect(child.send(message({ text }, 2))).toBe(false)
    expect((await said()).result).toEqual({ text })
  })
})

describe('what is no message', () => {
  it('is in the log as well when a message could not be handled, and the process lives on', async () => {
    const { child, garbage, message: said } = doing('echo')
    const { onMessage } = child
    child.onMessage = () => {
      child.onMessage = onMessage
      throw new RangeError('sk-abcdef0123456789')
    }
    child.send(message({ n: 1 }, 1))
    child.send(message({ n: 2 }, 2))
    expect(await said()).toMatchObject({ result: { n: 2 } })
    expect(garbage).toEqual(['a message could not be handled: RangeError'])
  })

  it('is dropped and told, and the process lives on', async () => {
    const lines = [
      'Server listening\n',
      '{"jsonrpc":"2.0","me\n',
      '{"a":1}\n',
      '"text"\n',
      '[]\n',
      '{"jsonrpc":"1.0","id":1,"result":1}\n',
    ]
    const { child, garbage, message: said } = doing('raw', lines)
    child.send(message({ n: 1 }, 1))
    expect(await said()).toMatchObject({ result: { n: 1 } })
    expect(garbage).toEqual(lines.map((text) => text.trim()))
  })

  it('may be no UTF-8, or nested too deeply to be written again', async () => {
    const deep = `{"jsonrpc":"2.0","method":"a","params":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}\n`
    const { child, garbage, message: said } = doing('raw', ['\xff\xfe\xc3\n', deep])
    child.send(message({ n: 1 }, 1))
    expect(await said()).toMatchObject({ result: { n: 1 } })
    expect(garbage).toEqual(['\uFFFD\uFFFD\uFFFD', expect.stringMatching(/^\{.{1900,}…$/)])
  })

  it('is told in a few lines however many there are, and after too much of it the process is stopped', async () => {
    const { garbage, exit, story, child } = doing('garbage', [], { maxLineBytes: 1_000_000 })
    expect(await exit).toMatchObject({ problem: 'garbage', wasStopped: false })
    expect((await exit).text).toContain('no MCP message')
    expect(story).toHaveLength(1)
    expect(garbage.length).toBeLessThan(40)
    expect(garbage.at(-1)).toMatch(/^… about \d{6,7} bytes left out$/)
    expect(isAlive(child.pid!)).toBe(false)
  })

  it('is counted anew after each message', async () => {
    const one = `${JSON.stringify({ jsonrpc: '2.0', method: 'a' })}\n`
    const script = `for (let n = 0; n < 5; n++) process.stdout.write(${JSON.stringify(one)} + 'x'.repeat(600000) + '\\n')`
    const { exit, story } = watched({ command: node, args: ['-e', script], env: {}, maxLineBytes: 1_000_000 })
    expect(await exit).toMatchObject({ code: 0 })
    expect(story).toHaveLength(6)
  })

  it('ends the process when it is a line that is too long', async () => {
    const { exit, story, child } = doing('long', [String(20 * 1024 * 1024)])
    expect(await exit).toMatchObject({ problem: 'too_long_line', wasStopped: false })
    expect((await exit).text).toBe('the server process wrote a message that is too long, and was stopped')
    expect(story).toHaveLength(1)
    expect(isAlive(child.pid!)).toBe(false)
  })

  it('is not a line that is just short enough', async () => {
    const frame = JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/told',
      params: { text: '' },
    }).length
    const { message: said } = doing('long', [String(65_536 - frame)], { maxLineBytes: 65_536 })
    expect(await said()).toMatchObject({ method: 'notifications/told' })
    const { exit } = doing('long', [String(65_537 - frame)], { maxLineBytes: 65_536 })
    expect(await exit).toMatchObject({ problem: 'too_long_line' })
  })
})

describe('standard error', () => {
  it('is told line by line without credentials and control characters, long lines cut', async () => {
    const { stderr, message: said } = doing(
      'complain',
      [
        '\x1b[31mred\x1b[0m and \x07bell\r\n\n',
        'Authorization: Bearer sk-abcdef0123456789\n',
        'the secret is hunter2-hunter2\n',
        '-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\nafter\n',
        `${'y'.repeat(50_000)}\n`,
        'one \u202Etwo\u2028three\n',
      ],
      { env: { API_PASSWORD: 'hunter2-hunter2' } },
    )
    await said()
    await vi.waitFor(() => expect(stderr).toHaveLength(7))
    expect(stderr).toEqual([
      'red and  bell',
      'Authorization: Bearer [redacted]',
      'the secret is [redacted]',
      '[redacted]',
      'after',
      `${'y'.repeat(1999)}…`,
      'one  two three',
    ])
  })

  it('is read to the end when it is a flood, of which little is looked at and nothing kept', async () => {
    const before = process.memoryUsage()
    let most = 0
    const look = setInterval(() => {
      const { rss } = process.memoryUsage()
      most = Math.max(most, rss - before.rss)
    }, 5)
    const { child, stderr, message: said } = doing('flood', ['100'])
    const other = doing('echo')
    await said()
    clearInterval(look)
    child.send(message({ n: 1 }, 1))
    expect(await said(1)).toMatchObject({ result: { n: 1 } })
    other.child.send(message({ n: 2 }, 1))
    expect(await other.message()).toMatchObject({ result: { n: 2 } })
    await child.stop()
    const kept = stderr.reduce((sum, { length }) => sum + length, 0)
    console.log(
      `100 MB of standard error: ${stderr.length} lines, ${kept} characters told; RSS grew ${most / 1e6} MB`,
    )
    expect(stderr.length).toBeLessThan(500)
    expect(kept).toBeLessThan(60_000)
    expect(most).toBeLessThan(80_000_000)
    const leftOut = stderr.flatMap((line) => /^… about (\d+) bytes left out$/.exec(line)?.[1] ?? [])
    const shown = stderr.filter((line) => /^x{99}$/.test(line)).length * 100
    const told = leftOut.reduce((sum, bytes) => sum + Number(bytes), 0) + shown
    expect(Math.abs(told - 100_000_000)).toBeLessThan(10_000)
  })

  it('is not told in half lines after a flood', async () => {
    const { child, stderr, message: said } = doing('flood', ['200'])
    await said()
    await child.stop()
    // The flood went on for longer than it was left out the first time.
    expect(stderr.filter((line) => line.includes('left out')).length).toBeGreaterThan(1)
    for (const line of stderr) expect(line).toMatch(/^(?:x{99}|… about \d+ bytes left out|the last line)$/)
  })

  it('that was left out is told of, though nothing follows', async () => {
    const { stderr } = doing('complain', ['x\n'.repeat(1000)])
    await vi.waitFor(() => expect(stderr.at(-1)).toBe('… about 1600 bytes left out'), 10_000)
    expect(stderr).toHaveLength(201)
  })
})

describe('a process that does not start', () => {
  it('is told in one sentence that helps, by an exit and by nothing else', async () => {
    const secret = 'sk-abcdef0123456789'
    const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
    const file = join(folder, 'file')
    writeFileSync(file, 'text')
    const script = join(folder, 'script')
    writeFileSync(script, '#!/no/such/interpreter\n')
    chmodSync(script, 0o755)
    const args = [secret]
    const faults = [
      watched({ command: 'no-such-program', args, env: { PATH: process.env.PATH! } }),
      watched({ command: file, args, env: {} }),
      watched({ command: script, args, env: {} }),
      watched({ command: node, args, env: {}, cwd: join(folder, 'nowhere') }),
      watched({ command: node, args, env: { LONG: 'x'.repeat(10_000_000) } }),
    ]
    const exits = await Promise.all(faults.map(({ exit }) => exit))
    expect(exits.map(({ text }) => text)).toEqual([
      'the command "no-such-program" was not found; is it installed and in PATH?',
      'the command "file" may not be run; is it a program, and executable?',
      'the command "script" was not found; is it installed and in PATH?',
      'the command "node" was not started: its working folder does not exist',
      'the command "node" could not be started: its arguments and environment are too long',
    ])
    for (const exit of exits) expect(exit).toMatchObject({ problem: 'spawn', code: null, signal: null })
    expect(JSON.stringify(exits)).not.toContain(secret)
    for (const { child, story } of faults) {
      expect(child.isRunning).toBe(false)
      expect(child.send(message({}))).toBe(false)
      expect(story).toHaveLength(1)
      await child.stop()
    }
    rmSync(folder, { recursive: true })
  })

  it('can be stopped before it is known', async () => {
    const { child, exit } = watched({ command: 'no-such-program', env: {} })
    await child.stop()
    expect(await exit).toMatchObject({ problem: 'spawn', wasStopped: true })
  })
})

describe('the end', () => {
  it.each(['0', '1', '42'])('is told with exit code %s', async (code) => {
    const { exit, story } = doing('exit', [code])
    expect(await exit).toEqual({
      code: Number(code),
      signal: null,
      wasStopped: false,
      text: `the server process ended with exit code ${code}; the log of the gateway has what it wrote to standard error`,
    })
    expect(story).toHaveLength(1)
  })

  it('is told with the signal', async () => {
    const { child, exit } = doing('crash')
    child.send(message({}))
    expect(await exit).toMatchObject({ code: null, signal: 'SIGSEGV', wasStopped: false })
    expect((await exit).text).toContain('was ended by SIGSEGV')
  })

  it('comes with the end of its input, without any signal', async () => {
    const { child, exit, story } = doing('echo', [], { graceMs: 20_000 })
    child.send(message({ n: 1 }, 1))
    const all = await Promise.all([child.stop(), child.stop(), exit])
    expect(all[2]).toEqual({
      code: 0,
      signal: null,
      wasStopped: true,
      text: 'the server process was stopped',
    })
    // What it still had to say was heard.
    expect(story).toEqual([{ jsonrpc: '2.0', id: 1, result: { n: 1 } }, all[2]])
  })

  it('comes with SIGKILL to one that hears nothing, in the time that is said', async () => {
    const { child, exit, story, message: said } = doing('stubborn', [], { graceMs: 800 })
    await said()
    const at = performance.now()
    await child.stop()
    const took = performance.now() - at
    expect(await exit).toMatchObject({ signal: 'SIGKILL', wasStopped: true })
    expect(story.slice(1, -1)).toMatchObject([{ params: { heard: 'end' } }, { params: { heard: 'SIGTERM' } }])
    expect(isAlive(child.pid!)).toBe(false)
    expect(took).toBeGreaterThan(1900)
    expect(took).toBeLessThan(10_000)
  })

  it('comes to one that closed its input and went on', async () => {
    const { child, exit, message: said } = doing('shut')
    await said()
    child.send(message({}))
    expect(await exit).toMatchObject({ problem: 'stdin', signal: 'SIGTERM', wasStopped: false })
  })

  it('comes to one that closed its output and went on', async () => {
    const { child, exit, message: said } = doing('mute')
    await said()
    child.send(message({}))
    expect(await exit).toMatchObject({ problem: 'stdout', signal: 'SIGTERM', wasStopped: false })
  })

  it('comes to what it started as well', async () => {
    const { child, message: said } = doing('parent', ['inherit', 'deaf'])
    const { pid } = (await said()).params as { pid: number }
    expect(isAlive(pid)).toBe(true)
    await child.stop()
    expect(isAlive(pid)).toBe(false)
  })

  it.each(['inherit', 'quiet'])(
    'comes to what it left behind when it ended by itself (%s)',
    async (streams) => {
      const { child, exit, message: said } = doing('parent', [streams, 'stone', 'leave'])
      const { pid } = (await said()).params as { pid: number }
      await vi.waitFor(() => expect(isStubborn(pid)).toBe(true), 10_000)
      child.send(message({}))
      expect(await exit).toMatchObject({ code: 0, wasStopped: false })
      expect(isAlive(pid)).toBe(false)
    },
  )

  it('is told though somebody who left its group holds its streams', async () => {
    const { child, exit, message: said } = doing('parent', ['detached', 'stone', 'leave'])
    const { pid } = (await said()).params as { pid: number }
    child.send(message({}))
    expect(await exit).toMatchObject({ code: 0 })
    process.kill(pid, 'SIGKILL')
  })

  it('leaves nothing that keeps the gateway from ending', async () => {
    const gateway = await gatewayProgram(`
      import { startChild } from 'child'
      const settings = { args: [${JSON.stringify(program)}, 'echo'], env: {}, graceMs: 600_000 }
      await startChild({ ...settings, command: process.execPath }).stop()
      await startChild({ ...settings, command: 'no-such-program' }).stop()
      process.stdin.unref()`)
    const { exit } = watched({ command: node, args: [gateway], env: {} })
    expect(await exit).toMatchObject({ code: 0, wasStopped: false })
  })

  it('leaves no zombie', async () => {
    const many = Array.from({ length: 10 }, () => doing('exit', ['0']))
    await Promise.all(many.map(({ exit }) => exit))
    const zombies = readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name)) return false
      try {
        return new RegExp(`\\) Z ${process.pid} `).test(readFileSync(`/proc/${name}/stat`, 'utf8'))
      } catch {
        return false
      }
    })
    expect(zombies).toEqual([])
  })

  it.each([
    ['exits', 'stone', 'process.exit(0)'],
    ['throws', 'stone', "throw new Error('x')"],
    ['is killed, by the end of its input', 'echo', "process.kill(process.pid, 'SIGKILL')"],
  ])('comes when its gateway %s', async (_how, deed, ends) => {
    const gateway = await gatewayProgram(`
      import { startChild } from 'child'
      const child = startChild({ command: process.execPath, args: [${JSON.stringify(program)}, '${deed}'], env: {} })
      const started = { jsonrpc: '2.0', method: 'started', params: { pid: child.pid } }
      process.stdout.write(JSON.stringify(started) + '\\n')
      process.stdin.once('data', () => { ${ends} })`)
    const { child, message: said, exit } = watched({ command: node, args: [gateway], env: {} })
    const { pid } = (await said()).params as { pid: number }
    expect(isAlive(pid)).toBe(true)
    child.send(message({}))
    await exit
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000)
  })
})

describe('what a process has of its parent', () => {
  it('is three descriptors, the variables it was given, and its arguments as they are', async () => {
    vi.stubEnv('MCP_BEARER_SECRET', 'x')
    vi.stubEnv('NODE_V8_COVERAGE', '/tmp/nowhere')
    Object.defineProperty(Object.prototype, 'POLLUTED', { value: 'x', enumerable: true, configurable: true })
    const args = ['$HOME', '`id`', '*', 'a b', '"', '; exit 9', '']
    const { message: said } = doing('inventory', args, { env: { A: '1', __proto__: 'x' }, cwd: tmpdir() })
    Reflect.deleteProperty(Object.prototype, 'POLLUTED')
    vi.unstubAllEnvs()
    const { env, descriptors, argv, cwd } = (await said()).params as Record<string, string[]>
    expect(env).toEqual({ A: '1' })
    expect(argv).toEqual(args)
    expect(cwd).toBe(tmpdir())
    expect(descriptors).toEqual(await bareDescriptors())
  })
})

describe('a gateway', () => {
  it('passes no descriptor on that it was given itself', async () => {
    const gateway = await gatewayProgram(`
      import { startChild } from 'child'
      const child = startChild({ command: process.execPath, args: [${JSON.stringify(program)}, 'inventory'], env: {} })
      child.onMessage = (message) => process.stdout.write(JSON.stringify(message) + '\\n')`)
    const secret = openSync(program, 'r')
    const outer = spawn(node, [gateway], { env: {}, stdio: ['pipe', 'pipe', 'pipe', secret, secret, secret] })
    const { descriptors } = await firstParams(outer)
    closeSync(secret)
    expect(descriptors).toEqual(await bareDescriptors())
    expect(JSON.stringify(descriptors)).not.toContain('child-program')
  })

  it('without descriptors left says so, and goes on', async () => {
    const gateway = await gatewayProgram(`
      import { startChild } from 'child'
      const children = Array.from({ length: 40 }, () =>
        startChild({ command: process.execPath, args: [${JSON.stringify(program)}, 'echo'], env: {} }))
      const exits = await Promise.all(children.map((child) => new Promise((resolve) => {
        child.onExit = resolve
        child.send({ jsonrpc: '2.0', id: 1, method: 'x' })
        child.onMessage = () => child.stop()
      })))
      const texts = [...new Set(exits.map((exit) => exit.text))]
      process.stdout.write(JSON.stringify({ params: { texts } }) + '\\n')`)
    const outer = spawn('/bin/sh', ['-c', `ulimit -n 60; exec "${node}" "${gateway}"`], { stdio: 'pipe' })
    const { texts } = await firstParams(outer)
    expect(texts!.toSorted()).toEqual([
      expect.stringMatching(/^the command "node" could not be started: .* \((?:EMFILE|EAGAIN)\)$/),
      'the server process was stopped',
    ])
  })
})

/** Those of the same program that nobody of this package started. */
async function bareDescriptors(): Promise<string[]> {
  const { descriptors } = await firstParams(spawn(node, [program, 'inventory'], { env: {}, stdio: 'pipe' }))
  return descriptors!
}

/** Those of the first message it writes. */
async function firstParams(child: ChildProcess): Promise<Record<string, string[]>> {
  let text = ''
  child.stderr!.pipe(process.stderr)
  for await (const chunk of child.stdout!) {
    text += chunk
    if (text.includes('\n')) break
  }
  child.kill()
  return JSON.parse(text).params
}

describe('options', () => {
  it.each([
    ['command', { command: '' }],
    ['command', { command: 'a\0b' }],
    ['args', { args: 'x' }],
    ['args', { args: ['sk-secret\0'] }],
    ['env', { env: undefined }],
    ['env', { env: { A: 1 } }],
    ['env', { env: { 'A=B': 'x' } }],
    ['env', { env: { A: 'sk-secret\0' } }],
    ['cwd', { cwd: '' }],
    ['maxLineBytes', { maxLineBytes: 0 }],
    ['graceMs', { graceMs: -1 }],
    ['shell', { shell: true }],
  ])('that are wrong are named: %s %j', (name, wrong) => {
    const start = () => startChild({ command: node, env: {}, ...wrong } as never)
    expect(start).toThrow(TypeError)
    expect(start).toThrow(name)
    expect(start).not.toThrow('sk-secret')
  })
})
