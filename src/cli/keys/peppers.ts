import type { Pepper } from '../../apikeys/hash.ts'
import { UsageError } from '../command.ts'

const how =
  'MCP_BEARER_PEPPER must be ID:SECRET, or several of them separated by commas, the newest first; a secret that begins with base64: is bytes'

/**
 * The peppers of the environment variable: `id:text` or `id:base64:bytes`. That it is base64 is said, never guessed: a
 * text may look like it, and a server that takes it for text would refuse every key.
 *
 * @throws UsageError that repeats nothing of it
 */
export function peppersOf(text: string | undefined): Pepper[] | undefined {
  if (text === undefined || text.trim() === '') return undefined
  return text.split(',').map((part) => {
    const [, id, secret] = /^\s*([^:\s]+):(\S.*?)\s*$/s.exec(part) ?? []
    if (id === undefined || secret === undefined) throw new UsageError(how)
    const pepper = secret.startsWith('base64:') ? bytesOf(secret.slice('base64:'.length)) : secret
    // Who reads it would name the id, which is the secret when the two have changed places.
    if (Buffer.byteLength(pepper) < shortest)
      throw new UsageError(`${how}; a secret has at least ${shortest} bytes`)
    return { id, secret: pepper }
  })
}

/** Bytes. */
const shortest = 32

function bytesOf(base64: string): Uint8Array {
  if (!/^[\w+/-]+={0,2}$/.test(base64)) throw new UsageError(how)
  return new Uint8Array(Buffer.from(base64, /[-_]/.test(base64) ? 'base64url' : 'base64'))
}
