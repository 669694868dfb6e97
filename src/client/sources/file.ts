import { AuthError, type Logger, stderrLogger, unfailing } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { abortable } from '../abortable.ts'
import { type ReadToken, readToken } from '../bearer-auth.ts'
import { expandHome, filePath, readSecretFile } from '../stores/secret-file.ts'
import type { TokenSource } from '../token-source.ts'

/** Options of {@link fileToken}. */
export interface FileTokenOptions {
  /** Told once when others can read or change the file. Default: one line to standard error. */
  readonly logger?: Logger | undefined
}

/** Bytes. A token has 8 KiB at most; the rest is white space people leave. */
const mostBytes = 65_536
/** Milliseconds until an empty file is looked at again. */
const moment = 50

/**
 * A token from a file: a mounted secret, or what another program renews. The file is read for every request, so it
 * rotates by being replaced, symbolic links of container mounts included. White space, quotes and `Bearer ` around the
 * token are taken off. Not for browsers.
 *
 * Nothing is kept: when the file is gone, empty or spoilt, the request fails. Whoever writes it should write another
 * file beside it and rename that; one that is empty at the moment is read once more after 50 milliseconds, and a token
 * that is cut off is replaced when the server refuses it. A file of more than 64 KiB, or a pipe, is not read.
 *
 * A file that the group or others can read or change is reported once (MCP security best practices, "Token Theft").
 * Secrets mounted into containers are: set their mode to 0400.
 *
 * @param path a leading `~` is the home folder; a relative one begins at the working directory
 * @returns a {@link TokenSource}, made without any input or output; its `token` throws an `AuthError` with code
 *   `token_unavailable` that names the file, never what is in it
 * @throws TypeError when the path or an option is wrong
 *
 * @example
 * ```ts
 * import { Client, fileToken } from 'mcp-bearer/client'
 *
 * const client = new Client('https://mcp.example.com/mcp', { auth: fileToken('/run/secrets/mcp-token') })
 * ```
 */
export function fileToken(path: string | URL, options: FileTokenOptions = {}): TokenSource {
  const file = filePath('fileToken: path', path)
  checkOptions('fileToken', options, ['logger'])
  const log = unfailing(options.logger ?? stderrLogger)
  let hasWarned = false

  const warn = () => {
    if (hasWarned) return
    hasWarned = true
    const message = `Others on this machine can read or change the token file ${file}: chmod 600 it`
    log({ level: 'warn', event: 'token_file_exposed', message, details: { path: file } })
  }

  const look = async (): Promise<ReadToken> => {
    const found = await readSecretFile(await expandHome(file), mostBytes)
    if ('fault' in found) return { fault: found.fault }
    if ((found.others & 6) !== 0) warn()
    return readToken(found.text)
  }

  const read = async (): Promise<string> => {
    let found = await look()
    if (found.fault === empty) {
      await new Promise((resolve) => setTimeout(resolve, moment))
      found = await look()
    }
    if (found.fault === undefined) return found.token
    throw new AuthError(
      'token_unavailable',
      `No token: the file ${file} ${found.fault}. Write the token there, and nothing else.`,
    )
  }

  return Object.freeze({
    name: `the file ${file}`,
    token: async ({ signal }) => abortable(read(), signal),
    // There is nothing to forget. That there is an answer makes the client ask again, and the file may be a new one.
    async refused() {},
  } satisfies TokenSource)
}

/** What {@link readToken} says of it. */
const empty = 'is empty'
