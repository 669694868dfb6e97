import { type Environment, processEnvironment } from './interpolate.ts'

/** More is not a file of variables. */
const longest = 1_048_576

/**
 * The environment of this process, and below it the variables of a `.env` file. A variable that the process has, an
 * empty one too, is never taken from the file; the environment of the process itself is not changed.
 *
 * @param dotenv the path of the file; `true` is `.env` in the working directory, if there is one
 * @throws TypeError when a file that was named cannot be read, is larger than 1 MiB, or the runtime has no files
 */
export function environmentWith(dotenv: true | string | URL | undefined): Environment {
  if (dotenv === undefined) return processEnvironment
  if (dotenv !== true && !(dotenv instanceof URL) && (typeof dotenv !== 'string' || dotenv === '')) {
    throw new TypeError('MCPClient: dotenv must be true, a path, or a file: URL')
  }
  const variables = variablesOf(dotenv)
  return (name) => processEnvironment(name) ?? variables.get(name)
}

function variablesOf(dotenv: true | string | URL): ReadonlyMap<string, string> {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs')
  const util = globalThis.process?.getBuiltinModule?.('node:util')
  if (typeof util?.parseEnv !== 'function' || !fs) {
    throw new TypeError('MCPClient: dotenv needs a runtime with files and util.parseEnv, such as Node.js')
  }
  let text: string
  try {
    const path = dotenv === true ? '.env' : dotenv
    if (fs.statSync(path).size > longest) throw new RangeError('it is larger than 1 MiB')
    text = fs.readFileSync(path, 'utf8')
  } catch (error) {
    // Where it is usual to have one, it is as usual that production has none: what is missing then is told by name.
    if (dotenv === true && isMissing(error)) return new Map()
    throw new TypeError(`MCPClient: the dotenv file ${dotenv === true ? '.env' : dotenv} cannot be read`, {
      cause: error,
    })
  }
  return new Map(Object.entries(util.parseEnv(text) as Record<string, string>))
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
