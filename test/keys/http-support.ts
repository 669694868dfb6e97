import { onTestFinished } from 'vitest'
import type { NewApiKey } from '../../src/apikeys/api-key.ts'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'
import type { ApiKeyVerifierOptions } from '../../src/verify/api-key-options.ts'
import type { RawAnswer } from '../http/support.ts'

/** A store with a clock that only moves by hand, what issues its keys, and what verifies them. */
export function keyHouse(options: Partial<ApiKeyVerifierOptions> = {}) {
  const time = { now: 1_800_000_000_000 }
  const clock = () => time.now
  const store = options.store ?? memoryKeyStore({ clock })
  const keys = apiKeys({ store })
  const verifier = apiKeyVerifier({ store, ...options }, { clock, logger: () => {} })
  onTestFinished(() => verifier.close())
  const made = async (more: Partial<NewApiKey> = {}) => {
    const { key, apiKey } = await keys.create({ name: 'test', owner: 'alice', scopes: ['mcp:read'], ...more })
    return { key, id: apiKey.id }
  }
  return { time, clock, store, keys, verifier, made }
}

/** A store that cannot be reached as soon as somebody says so. */
export function breakable(store: KeyStore, failure: () => Error): { store: KeyStore; break(): void } {
  let isBroken = false
  const broken = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        if (isBroken && name !== 'time' && name !== 'onChange') return Promise.reject(failure())
        return Reflect.apply(member, target, given)
      }
    },
  })
  return {
    store: broken,
    break() {
      isBroken = true
    },
  }
}

/** All of an answer but its date. */
export const undated = ({ raw }: RawAnswer) => raw.replace(/^date:.*\r\n/im, '')
