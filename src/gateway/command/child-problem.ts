import { statSync } from 'node:fs'
import type { ChildExit } from './child.ts'

/** What is known of an end. */
export type Ending = Omit<ChildExit, 'text'>

/** Why a process could not be started, for a person. Errors of `spawn` hold all arguments, so of them only the code is taken. */
export function spawnProblem(error: unknown, command: string, cwd: string | undefined): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'for an unknown reason'
  const name = `the command "${programOf(command)}"`
  if (cwd !== undefined && !isFolder(cwd)) return `${name} was not started: its working folder does not exist`
  switch (code) {
    case 'ENOENT':
      return `${name} was not found; is it installed and in PATH?`
    case 'EACCES':
    case 'EPERM':
      return `${name} may not be run; is it a program, and executable?`
    case 'ENOEXEC':
    case 'EFTYPE':
    case 'EINVAL':
      return `${name} is no program that can be run without a shell; give the program that runs it, such as node`
    case 'EMFILE':
    case 'ENFILE':
    case 'EAGAIN':
    case 'ENOMEM':
      return `${name} could not be started: this machine has no files, processes or memory left (${code})`
    case 'E2BIG':
      return `${name} could not be started: its arguments and environment are too long`
    default:
      return `${name} could not be started (${code})`
  }
}

/** How a process ended, for whoever waits for its answer. */
export function exitText({ code, signal, problem, wasStopped }: Ending): string {
  if (problem !== undefined) return `the server process ${deeds[problem]}, and was stopped`
  if (wasStopped) return 'the server process was stopped'
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
  return `the server process ${how}; the log of the gateway has what it wrote to standard error`
}

const deeds: Record<NonNullable<ChildExit['problem']>, string> = {
  spawn: 'could not be started',
  garbage: 'wrote much to standard output that is no MCP message',
  too_long_line: 'wrote a message that is too long',
  stdin: 'closed its standard input',
  stdout: 'closed its standard output',
}

/** The program without its folder. Nothing after white space: who takes this for a shell may have put a secret there. */
function programOf(command: string): string {
  const [path = ''] = command.trim().split(/\s/, 1)
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? command.trim()
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
