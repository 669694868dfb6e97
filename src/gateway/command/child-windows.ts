import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Everything here is written by the documentation of Windows and Node, and untested: nobody runs the tests there. */
export function isWindows(): boolean {
  return process.platform === 'win32'
}

/**
 * What to run instead of `npx` and `npm`, which are batch files on Windows: a batch file runs in `cmd.exe` only, where
 * no argument is safe (CVE-2024-27980), so Node refuses it without a shell. The programs they run are beside Node.
 */
export function withoutBatchFile(command: string, args: readonly string[]): [string, readonly string[]] {
  const name = /^(npx|npm)(?:\.cmd)?$/i.exec(command)?.[1]?.toLowerCase()
  if (!isWindows() || name === undefined) return [command, args]
  const script = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', `${name}-cli.js`)
  return existsSync(script) ? [process.execPath, [script, ...args]] : [command, args]
}

/** Ends a process with all it started. There is no asking first: a process without a window hears nothing. */
export function killTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return
  const options = { stdio: 'ignore', windowsHide: true } as const
  spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], options).on('error', () => child.kill())
}
