import type { ApiKey } from '../../apikeys/api-key.ts'
import { distance, timeText } from '../../inspector/token/times.ts'
import { printableLine } from '../printable.ts'
import { table } from '../terminal.ts'
import { ownerText } from './words.ts'

/** Characters of a fact; the whole text is in the JSON. */
const longest = 1000

/** Everything that is to be said of a key, a line each; what it does not have is left out. */
export function keyFacts(key: ApiKey, now: number): string[] {
  const when = (date: Date | undefined) =>
    date === undefined ? undefined : `${timeText(date)} (${distance(date, now)})`
  const { usageLimit, usageLeft, rateLimit, lastUsedAt, lastUsedAddress, metadata } = key
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['id', key.id],
    ['name', key.name],
    ['status', key.status],
    ['owner', ownerText(key.owner)],
    ['tenant', key.tenant],
    ['client id', key.clientId],
    [
      'begins with',
      key.isImported ? 'imported: it looks as it always did' : `${key.prefix}_${key.environment}_`,
    ],
    ['scopes', key.scopes.join(' ') || 'none'],
    ['tools', key.tools?.join(' ')],
    ['audience', key.audiences?.join(' ')],
    ['addresses', key.addresses?.join(' ')],
    ['rate limit', rateLimit === undefined ? undefined : `${rateLimit}/min`],
    ['usage limit', usageLimit === undefined ? undefined : `${usageLeft ?? 0} of ${usageLimit} left`],
    ['not before', when(key.notBefore)],
    ['expires', when(key.expiresAt) ?? 'never'],
    ['first used', when(key.firstUsedAt)],
    [
      'last used',
      lastUsedAddress === undefined ? when(lastUsedAt) : `${when(lastUsedAt)} from ${lastUsedAddress}`,
    ],
    ['uses', key.useCount === 0 ? undefined : String(key.useCount)],
    ['created', [when(key.createdAt), by(key.createdBy)].join('')],
    ['replaced by', key.replacedBy],
    ['revoked', key.revokedAt && [when(key.revokedAt), by(key.revokedBy)].join('')],
    ['because', key.revokeReason],
    ['metadata', Object.keys(metadata).length === 0 ? undefined : JSON.stringify(metadata)],
  ]
  return table(
    facts.flatMap(([name, fact]) =>
      fact === undefined ? [] : [[`  ${name}`, printableLine(fact, longest)]],
    ),
  )
}

function by(who: string | undefined): string {
  return who === undefined ? '' : ` by ${who}`
}
