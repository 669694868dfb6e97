import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * Names that are good for one owner only: what the server behind the gateway calls a thing, and a code over that and whose
 * it is. So no table has to be kept of whose session is whose, and none can be filled.
 */
export interface Names {
  /** The name an owner is told. */
  name(owner: string, own: string): string
  /** What the server calls it; `undefined` when the name was not given to this owner, or by nobody. */
  read(owner: string, name: string): string | undefined
}

/** Characters of the code: 128 bits in base64url (RFC 4648 section 5). */
const codeLength = 22
/** Names that were found to be right, so that a session is not looked at anew with each of its calls. */
const mostRemembered = 4096

/**
 * Makes {@link Names}. The key is of this process and is kept nowhere: after a restart a session is an unknown one, and
 * clients open another (MCP "Session Management").
 */
export function names(key: Uint8Array = randomBytes(32)): Names {
  // With its length, so that no owner and name can be read as another owner and name.
  const codeOf = (owner: string, own: string): string =>
    createHmac('sha256', key)
      .update(`${owner.length} ${owner}${own}`)
      .digest('base64url')
      .slice(0, codeLength)
  function look(owner: string, name: string): string | undefined {
    const dot = name.length - codeLength - 1
    if (dot < 1 || name[dot] !== '.') return undefined
    const own = name.slice(0, dot)
    return isSame(name.slice(dot + 1), codeOf(owner, own)) ? own : undefined
  }
  // Forgetting one costs a look, and what is not right is never kept: nobody can fill it with names of their own.
  const right = new Map<string, string>()
  return {
    name: (owner, own) => `${own}.${codeOf(owner, own)}`,
    read(owner, name) {
      const key = `${owner.length} ${owner}${name}`
      const known = right.get(key)
      if (known !== undefined) return known
      const own = look(owner, name)
      if (own === undefined) return undefined
      if (right.size >= mostRemembered) right.delete(right.keys().next().value!)
      right.set(key, own)
      return own
    },
  }
}

/** In a time that does not tell how much of it fits. */
function isSame(given: string, right: string): boolean {
  const bytes = Buffer.from(given)
  return bytes.length === codeLength && timingSafeEqual(bytes, Buffer.from(right))
}
