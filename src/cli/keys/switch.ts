import { keysCommand } from './keys-command.ts'
import { keyIdOf } from './words.ts'

const options = { reason: { type: 'string' } } as const
const optionsHelp = '  --reason TEXT      why, for the audit log'

/** `mcp-bearer keys disable`: off, until it is enabled again. */
export const disable = keysCommand({
  summary: 'switch a key off, until it is enabled again',
  usage: 'disable ID [options]',
  about: `Servers refuse the key until it is enabled again. "revoke" ends it for good.

  mcp-bearer keys disable 4fVqmPzLk2aB --reason 'strange requests'`,
  optionsHelp,
  options,
  words: [1, 1],
  async run({ values, words: [word = ''], open }) {
    const id = keyIdOf(word)
    const { keys, by } = await open()
    const apiKey = await keys.disable(id, by(values.reason))
    return { json: { apiKey }, lines: [`Disabled ${id}. mcp-bearer keys enable ${id} switches it on again.`] }
  },
})

/** `mcp-bearer keys enable`: on again. */
export const enable = keysCommand({
  summary: 'switch a disabled key on again',
  usage: 'enable ID [options]',
  about: `Ends what "disable" did. A key that is revoked or expired stays so.

  mcp-bearer keys enable 4fVqmPzLk2aB`,
  optionsHelp,
  options,
  words: [1, 1],
  async run({ values, words: [word = ''], open }) {
    const id = keyIdOf(word)
    const { keys, by } = await open()
    const apiKey = await keys.enable(id, by(values.reason))
    return { json: { apiKey }, lines: [`Enabled ${id}; it is ${apiKey.status}.`] }
  },
})
