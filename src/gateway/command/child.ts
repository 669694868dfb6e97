import type { Writable } from 'node:stream'
import type { RpcMessage } from '../message.ts'
import { fewLines, readStderr } from './child-lines.ts'
import { messageReader } from './child-messages.ts'
import { readChildOptions } from './child-options.ts'
import { exitText } from './child-problem.ts'
import { type ProcessEnd, startProcess } from './child-process.ts'
import { stopping } from './child-stopping.ts'
import { secretsIn } from './environment.ts'

/** How a process ended. */
export interface ChildExit {
  /** What it gave back; `null` when a signal ended it, or it never ran. */
  readonly code: number | null
  /** The signal that ended it. */
  readonly signal: string | null
  /**
   * What was wrong, when it did not just end: it could not be started; it wrote nothing but garbage; it wrote a line
   * that was too long; it closed its input or its output and went on.
   */
  readonly problem?: 'spawn' | 'garbage' | 'too_long_line' | 'stdin' | 'stdout'
  /** Whether {@link Child.stop} was called before. */
  readonly wasStopped: boolean
  /** The same in one sentence for whoever waits for an answer. Nothing of arguments or environment is in it. */
  readonly text: string
}

/** One running MCP server, reached by its standard streams. */
export interface Child {
  readonly pid: number | undefined
  /** Whether it takes messages: until it has ended, or is being stopped. */
  readonly isRunning: boolean
  /** Writes a message to it. `false` when it is gone, or too much waits to be read by it already. */
  send(message: RpcMessage): boolean
  /** Gets what it says. Set it before the next turn of the event loop. What it throws is told as garbage. */
  onMessage: (message: RpcMessage) => void
  /** Called once, after its last message. Set it before the next turn of the event loop. */
  onExit: (exit: ChildExit) => void
  /**
   * Ends it with all it started: closes its input (MCP "Lifecycle", shutdown over stdio), sends SIGTERM after a while
   * and SIGKILL after another. Resolves when it is gone.
   */
  stop(): Promise<void>
}

/** Options of {@link startChild}. */
export interface ChildOptions {
  /** A program, found by `PATH` of `env`; no line for a shell. */
  readonly command: string
  readonly args?: readonly string[] | undefined
  /** All of its environment: see {@link childEnvironment}. */
  readonly env: Readonly<Record<string, string>>
  /** Default: the working folder of this process. */
  readonly cwd?: string | undefined
  /** Bytes of one message. A longer one ends the process. Default: 16777216, 16 MiB. */
  readonly maxLineBytes?: number | undefined
  /** Gets what it writes to standard error, line by line: without credentials and control characters, and not all of a flood. */
  readonly onStderr?: ((line: string) => void) | undefined
  /** Gets what it writes to standard output and is no message, in the same way. */
  readonly onGarbage?: ((line: string) => void) | undefined
  /** Called before {@link Child.onExit}, for whoever counts processes. */
  readonly onEnd?: ((exit: ChildExit) => void) | undefined
  /** Milliseconds from the end of its input to SIGTERM; SIGKILL follows after one and a half times that. Default: 2000. */
  readonly graceMs?: number | undefined
}

/** Characters that may wait to be read by a process. */
const mostWaiting = 16_777_216
/** Lines for the log, at once and a second after that. */
const stderrLines = { burst: 200, perSecond: 20 }
const garbageLines = { burst: 20, perSecond: 1 }

/**
 * Starts an MCP server that speaks over its standard streams. Whatever it does, it costs a bounded amount of memory, and
 * the gateway goes on: it may crash, say nothing, read nothing, write garbage, or flood standard error.
 *
 * When the gateway itself is killed, nobody is left to end it: it sees the end of its input, which ends every server
 * that keeps to the protocol, and gets an error when it writes. What it started ends with it, but for what left its
 * process group on purpose (`setsid`), which nobody finds.
 *
 * @returns at once; that it could not be started is told by `onExit`, with problem `spawn`
 * @throws TypeError naming the option that is wrong
 */
export function startChild(options: ChildOptions): Child {
  const { program, maxLineBytes, graceMs } = readChildOptions(options)
  const secrets = secretsIn(program.env)
  const { onStderr = ignore, onGarbage = ignore } = options
  let wasStopped = false
  let isOver = false
  let gone: () => void
  const ended = new Promise<void>((resolve) => {
    gone = resolve
  })

  const server = startProcess(program, over)
  const stop = stopping(server, graceMs)
  const garbage = fewLines({ onLine: onGarbage, secrets, ...garbageLines })
  const messages = messageReader({
    maxBytes: maxLineBytes,
    onMessage: (message) => child.onMessage(message),
    onGarbage: garbage.take,
    onHopeless(problem) {
      // With nobody to read it, it can write no more.
      server.output?.destroy()
      stop.begin(0, problem)
    },
  })
  server.output?.on('data', messages.push).on('error', ignore)
  if (server.errors) readStderr(server.errors, fewLines({ onLine: onStderr, secrets, ...stderrLines }))
  // It may have ended, which will be told; it may also go on, and hear or say nothing any more.
  server.input?.on('error', () => stop.begin(graceMs, 'stdin'))
  server.output?.once('end', () => {
    messages.end()
    stop.begin(graceMs, 'stdout')
  })

  function over({ code, signal, fault }: ProcessEnd): void {
    isOver = true
    const found = stop.finish()
    const problem = fault === undefined ? found : 'spawn'
    garbage.end()
    const ending = { code, signal, wasStopped, ...(problem && { problem }) }
    const exit: ChildExit = { ...ending, text: fault ?? exitText(ending) }
    // Who waits for it goes on after this turn.
    gone()
    options.onEnd?.(exit)
    child.onExit(exit)
  }

  const child: Child = {
    pid: server.pid,
    get isRunning() {
      return server.pid !== undefined && !isOver && !stop.hasBegun
    },
    send: (message) => child.isRunning && written(server.input, message),
    onMessage: ignore,
    onExit: ignore,
    stop() {
      if (!isOver) {
        wasStopped = true
        stop.begin(graceMs)
      }
      return ended
    },
  }
  return child
}

function written(input: Writable | undefined, message: RpcMessage): boolean {
  if (!input?.writable) return false
  const line = `${JSON.stringify(message)}\n`
  // One that is longer than the limit goes when nothing else waits.
  if (input.writableLength > 0 && input.writableLength + line.length > mostWaiting) return false
  input.write(line)
  return true
}

function ignore(): void {}
