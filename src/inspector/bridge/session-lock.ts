import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * Lets one page in: whoever has the key of the printed address gets the secret of a session for it, once. Keys and secrets
 * are compared in constant time, and never kept anywhere else.
 */
export interface SessionLock {
  /**
   * A key for another page. The one before is void from now on; a page that is open stays open until the new key is used,
   * so that one made by mistake ends nobody's work.
   */
  newKey(): string
  /** Trades the key for the secret of a new session, and ends the session before. @returns `undefined` for any other text */
  open(key: unknown): string | undefined
  /** Whether a text is the secret of the session. */
  admits(secret: unknown): boolean
}

/** Bytes of a key: it is typed by nobody. */
const keyBytes = 24
const secretBytes = 32
/** So many wrong keys, and the right one is void as well. */
const mostTries = 20

/**
 * Makes a {@link SessionLock}, which is open to nobody before its first key.
 * @param onVoid called when somebody has tried too many keys
 */
export function sessionLock(onVoid: () => void): SessionLock {
  let key: Buffer | undefined
  let session: Buffer | undefined
  let tries = 0
  return {
    newKey() {
      const text = randomBytes(keyBytes).toString('base64url')
      key = digest(text)
      tries = 0
      return text
    },
    open(text) {
      if (key === undefined) return undefined
      if (!isSame(text, key)) {
        tries += 1
        if (tries < mostTries) return undefined
        key = undefined
        onVoid()
        return undefined
      }
      key = undefined
      const secret = randomBytes(secretBytes).toString('base64url')
      session = digest(secret)
      return secret
    },
    admits: (text) => session !== undefined && isSame(text, session),
  }
}

function isSame(text: unknown, known: Buffer): boolean {
  return typeof text === 'string' && timingSafeEqual(digest(text), known)
}

/** All digests have one length, so that a comparison tells nothing of that of the text. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
