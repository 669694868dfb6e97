import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, onTestFinished } from 'vitest'
import { cli } from './programs.ts'

const run = promisify(execFile)
/** Milliseconds between two looks. */
const lookEvery = 20

/** `mcp-bearer protect`, running. */
export interface Gate {
  readonly url: string
  readonly pid: number
  /** What it has written to standard error. */
  log(): string
}

/** Who is told what has to be done in the end. */
export type AtEnd = (last: () => Promise<void>) => void

/** For what several tests share: call it beside them, and give what it returns to what is made in `beforeAll`. */
export function afterThem(): AtEnd {
  const all: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const last of all.reverse()) await last()
  })
  return (last) => void all.push(last)
}

/** A folder that is gone in the end. */
export async function folder(atEnd: AtEnd = onTestFinished): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'mcp-bearer-real-'))
  atEnd(() => rm(made, { recursive: true, force: true }))
  return made
}

/** Makes a key in a database, as an operator does. @returns the key */
export async function newKey(db: string, owner: string, ...scopes: readonly string[]): Promise<string> {
  const words = ['keys', 'create', '--db', db, '--name', owner, '--owner', owner, '--quiet']
  const { stdout } = await run(process.execPath, [
    cli,
    ...words,
    ...scopes.flatMap((scope) => ['--scope', scope]),
  ])
  return stdout.trim()
}

/** Starts `mcp-bearer protect` on a port that is free. */
export async function protect(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  atEnd: AtEnd = onTestFinished,
): Promise<Gate> {
  const args = [cli, 'protect', '--json', '--listen', '0', ...words]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  atEnd(() => ended(child))
  const [out, err] = [textOf(child.stdout), textOf(child.stderr)]
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  await until(() => isOver() || out().endsWith('}\n'))
  if (isOver()) throw new Error(`protect has ended: ${err()}`)
  const { url, pid } = JSON.parse(out())
  return { url, pid, log: err }
}

/** Starts a server, and waits until it listens. */
export async function listeningServer(
  command: string,
  args: readonly string[],
  environment: (port: number) => Readonly<Record<string, string>>,
  atEnd: AtEnd = onTestFinished,
): Promise<{ readonly url: string; readonly port: number; log(): string }> {
  const port = await freePort()
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH ?? '', ...environment(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  atEnd(() => ended(child))
  const [out, err] = [textOf(child.stdout), textOf(child.stderr)]
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/mcp`).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false,
    )
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${command} has ended: ${err()}`)
    return isUp()
  })
  return { url: `http://127.0.0.1:${port}/mcp`, port, log: () => out() + err() }
}

/** Waits until it holds. The test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(lookEvery)
}

/** The processes that a process has started and that are still there, oldest first. */
export async function childrenOf(parent: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const children = await Promise.all(pids.map(async (pid) => ((await parentOf(pid)) === parent ? [pid] : [])))
  return children.flat().sort((one, other) => one - other)
}

/** What the open descriptors of a process are, by their numbers. */
export async function descriptorsOf(pid: number): Promise<ReadonlyMap<number, string>> {
  const names = await readdir(`/proc/${pid}/fd`)
  const pairs = names.map(async (name) => {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => 'closed')
    return [Number(name), target] as const
  })
  return new Map(await Promise.all(pairs))
}

async function parentOf(pid: number): Promise<number | undefined> {
  // The name of a program, in parentheses, may hold anything; the state and the parent follow it.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function textOf(stream: NodeJS.ReadableStream | null): () => string {
  let text = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (part: string) => {
    text += part
  })
  return () => text
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  // One that does not end of itself is a fault that other tests are for.
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(timer)
}
