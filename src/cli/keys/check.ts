import { type KeyFlaw, parseKey } from '../../apikeys/format.ts'
import { placeholderAdvice, placeholderCause } from '../../core/placeholder.ts'
import { exitCode } from '../exit-codes.ts'
import { keysCommand } from './keys-command.ts'
import { secretInput } from './secret-input.ts'

const flaws: Readonly<Record<KeyFlaw, string>> = {
  too_long: 'it is longer than any key is',
  malformed: 'it does not have the form of a key; one that was imported does not either',
  bad_checksum: 'it has the form of a key, and its checksum is wrong: it was mistyped, cut off or made up',
}

/** `mcp-bearer keys check`: what a text says of itself, without asking a database. */
export const check = keysCommand({
  summary: 'look at a text: is it a key? Asks no database',
  usage: 'check WHERE',
  about: `Says whether a text is a well-formed key, and its id; exit code 1 if it is not. Whether the
key exists, and is good, is known to the database: "show" with the id tells.

  mcp-bearer keys check env:MCP_API_KEY
  mcp-bearer keys check file:/run/secrets/mcp-key
  pbpaste | mcp-bearer keys check -`,
  options: {},
  words: [1, 1],
  async run({ words: [where = ''], terminal, signal }) {
    const text = await secretInput(where, 'a key', terminal, signal)
    const key = parseKey(text)
    if (typeof key !== 'string') {
      const { prefix, environment, id } = key
      return {
        json: { ok: true, prefix, environment, id },
        lines: [
          `A well-formed ${environment} key, and its checksum is right.`,
          `  prefix  ${prefix}`,
          `  id      ${id}`,
        ],
      }
    }
    const cause = placeholderCause(text)
    const why = text === '' ? 'it is empty' : flaws[key]
    return {
      json: { ok: false, flaw: key, message: why, ...(cause && { placeholder: cause }) },
      lines: [`Not a key: ${why}.`, ...(cause ? [placeholderAdvice[cause]] : [])],
      exit: exitCode.failed,
    }
  },
})
