// The keys that are measured: what they have, and how they are made and filled in.

import { base62OfUint32 } from '../../dist/apikeys/base62.js'
import { crc32 } from '../../dist/apikeys/crc32.js'
import { makeKey } from '../../dist/apikeys/format.js'
import { apiKeys } from '../../dist/apikeys/index.js'

/** As a service would make them: with an owner, scopes, an expiry, and something of its own. */
export function newKey(number) {
  return {
    name: `CI of project ${number}`,
    owner: { type: 'user', id: `user-${number % 50_000}@example.com` },
    scopes: ['files:read', 'files:write'],
    expiresInSeconds: 90 * 86_400,
    metadata: { plan: 'team', project: number },
  }
}

/** How many are given to `createMany` at a time; it writes them in transactions of a thousand. */
export const atOnce = 5000

/**
 * Makes keys and keeps some of them, from all over, for those who verify.
 * @param keep how many
 * @returns them
 */
export async function createKeys(store, amount, { keep = 0, from = 0 } = {}) {
  const keys = apiKeys({ store })
  const kept = []
  for (let made = 0; made < amount; made += atOnce) {
    const count = Math.min(atOnce, amount - made)
    const results = await keys.createMany(
      Array.from({ length: count }, (_, index) => newKey(from + made + index)),
    )
    for (const result of results) if (!result.ok) throw result.error
    const every = Math.max(1, Math.floor(amount / keep))
    for (let at = 0; at < count && keep > 0; at += every) kept.push(results[at].value.key)
  }
  return kept
}

export function idOf(key) {
  return key.split('_')[2]
}

/** The key of somebody who knows its id and not its secret. */
export function withWrongSecret(key) {
  const [prefix, environment, id] = key.split('_')
  const other = makeKey(prefix, environment).key.split('_')[3].slice(0, 32)
  const unsigned = `${prefix}_${environment}_${id}_${other}`
  return unsigned + base62OfUint32(crc32(unsigned))
}

/** A key that is well made and that nobody has. */
export function unknownKey() {
  return makeKey('mcpk', 'live').key
}

/** A key with a typing error. */
export function mistyped(key) {
  return `${key.slice(0, 30)}${key[30] === 'x' ? 'y' : 'x'}${key.slice(31)}`
}
