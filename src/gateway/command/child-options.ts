import { checkOptions, numberBetween } from '../../core/options.ts'
import type { ChildOptions } from './child.ts'
import type { Program } from './child-process.ts'

/**
 * Reads the options of `startChild`.
 * @throws TypeError naming the option that is wrong
 */
export function readChildOptions(options: ChildOptions) {
  const owner = 'startChild'
  checkOptions(owner, options, [
    'command',
    'args',
    'env',
    'cwd',
    'maxLineBytes',
    'onStderr',
    'onGarbage',
    'onEnd',
    'graceMs',
  ])
  const { maxLineBytes = 16_777_216, graceMs = 2000 } = options
  return {
    program: readProgram(owner, options),
    maxLineBytes: numberBetween(`${owner}: maxLineBytes`, maxLineBytes, 1024, 2 ** 28),
    graceMs: numberBetween(`${owner}: graceMs`, graceMs, 0, 600_000),
  }
}

/**
 * Reads what is to be run.
 * @throws TypeError naming the option that is wrong; never shows an argument or a variable
 */
export function readProgram(
  owner: string,
  options: Pick<ChildOptions, 'command' | 'args' | 'env' | 'cwd'>,
): Program {
  const { command, args = [], env, cwd } = options
  if (!isWord(command) || command.trim() === '') {
    throw new TypeError(`${owner}: command must be the name or path of a program`)
  }
  if (!Array.isArray(args) || !Array.from(args).every(isWord)) {
    throw new TypeError(`${owner}: args must be a list of strings`)
  }
  if (cwd !== undefined && (!isWord(cwd) || cwd === '')) {
    throw new TypeError(`${owner}: cwd must be the path of a folder`)
  }
  if (typeof env !== 'object' || env === null || Array.isArray(env)) {
    throw new TypeError(`${owner}: env must be an object of names and values`)
  }
  for (const [name, value] of Object.entries(env)) {
    if (!isWord(value) || !isWord(name) || name === '' || name.includes('=')) {
      throw new TypeError(`${owner}: env must hold strings, by the names of variables`)
    }
  }
  return { command, args: [...args], env: Object.assign(Object.create(null), env), cwd }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}
