import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterEach, expect, onTestFinished, vi } from 'vitest'
import { type Child, type ChildExit, type ChildOptions, startChild } from '../../src/gateway/command/child.ts'
import type { RpcMessage } from '../../src/gateway/message.ts'

export const program = fileURLToPath(new URL('./fixtures/child-program.mjs', import.meta.url))
export const node = process.execPath

const started: Child[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()))
})

/** A child and all that came of it. */
export interface Watched {
  readonly child: Child
  /** Messages and at last the exit, as they came. */
  readonly story: (RpcMessage | ChildExit)[]
  readonly stderr: string[]
  readonly garbage: string[]
  readonly exit: Promise<ChildExit>
  /** The first message, or the one of this number. */
  message(at?: number): Promise<RpcMessage>
}

/** Starts the program of the fixtures to do something. */
export function doing(
  deed: string,
  args: readonly string[] = [],
  options: Partial<ChildOptions> = {},
): Watched {
  return watched({ command: node, args: [program, deed, ...args], env: {}, graceMs: 300, ...options })
}

export function watched(options: ChildOptions): Watched {
  const story: Watched['story'] = []
  const stderr: string[] = []
  const garbage: string[] = []
  const child = startChild({
    onStderr: (line) => stderr.push(line),
    onGarbage: (line) => garbage.push(line),
    ...options,
  })
  started.push(child)
  child.onMessage = (message) => story.push(message)
  const exit = new Promise<ChildExit>((resolve) => {
    child.onExit = (end) => {
      story.push(end)
      resolve(end)
    }
  })
  const message = (at = 0) =>
    vi.waitFor(
      () => {
        const found = story[at]
        expect(found).toHaveProperty('jsonrpc')
        return found as RpcMessage
      },
      { timeout: 20_000, interval: 5 },
    )
  return { child, story, stderr, garbage, exit, message }
}

/** Whether a process runs. One that has ended and waits to be looked at does not. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

/** Whether a process that is to hear nothing has come so far that it does not. */
export function isStubborn(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('stone')
}

const source = fileURLToPath(new URL('../../src/gateway/command/child.ts', import.meta.url))

/** One file of a program that imports `startChild` from `child`, for a process of its own. Gone when the test is over. */
export async function gatewayProgram(code: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-program-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    external: /^node:/,
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : id === 'child' ? source : undefined),
        load: (id) => (id === 'program' ? code : undefined),
      },
    ],
  })
  const file = join(folder, 'program.mjs')
  await bundle.write({ file, format: 'esm' })
  await bundle.close()
  return file
}
