import type { ApiKeyUpdate, NewApiKey } from '../../apikeys/api-key.ts'
import { countOf, metadataOf, ownerOf, rateOf, scopesOf } from './words.ts'

/** The options that say what a key is like; `create` and `update` take them. */
export const propertyOptions = {
  name: { type: 'string' },
  owner: { type: 'string' },
  tenant: { type: 'string' },
  scope: { type: 'string', multiple: true },
  tool: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  address: { type: 'string', multiple: true },
  'rate-limit': { type: 'string' },
  'usage-limit': { type: 'string' },
  meta: { type: 'string', multiple: true },
  expires: { type: 'string' },
  'not-before': { type: 'string' },
  'max-lifetime': { type: 'string' },
  reason: { type: 'string' },
} as const

export const propertyHelp = `  --name TEXT        what people call it
  --owner WHO        whose it is: an id, or type:id such as service:build; :id for an id
                     that has a colon itself
  --tenant ID        the tenant of the owner
  --scope SCOPE      what it may do; several times, or several in quotes
  --tool NAME        the only tools it may use; several times
  --audience URL     the server it is for; several times
  --address NET      the only networks it may come from, as 192.0.2.0/24; several times
  --rate-limit N     requests a minute, as 60/min
  --usage-limit N    requests altogether
  --meta NAME=TEXT   whatever else is to be known, never a secret; several times
  --expires WHEN     90d, 12h, 30m, 3600s, or a date such as 2027-01-31 (UTC)
  --not-before WHEN  the same
  --max-lifetime T   refuse a longer life than this
  --reason TEXT      why, for the audit log`

/** What {@link propertyOptions} gave. */
export interface Properties {
  readonly name?: string | undefined
  readonly owner?: string | undefined
  readonly tenant?: string | undefined
  readonly scope?: string[] | undefined
  readonly tool?: string[] | undefined
  readonly audience?: string[] | undefined
  readonly address?: string[] | undefined
  readonly 'rate-limit'?: string | undefined
  readonly 'usage-limit'?: string | undefined
  readonly meta?: string[] | undefined
}

/**
 * All of it but the times, which need the time of the database. What was not given is no member.
 * @throws UsageError
 */
export function propertiesOf(values: Properties): Partial<NewApiKey> & ApiKeyUpdate {
  const { name, owner, tenant, scope, tool, audience, address, meta } = values
  const { 'rate-limit': rate, 'usage-limit': usage } = values
  return {
    ...(name !== undefined && { name }),
    ...(owner !== undefined && { owner: ownerOf(owner) }),
    ...(tenant !== undefined && { tenant }),
    ...(scope && { scopes: scopesOf(scope) }),
    ...(tool && { tools: tool }),
    ...(audience && { audience }),
    ...(address && { addresses: address }),
    ...(rate !== undefined && { rateLimit: rateOf(rate) }),
    ...(usage !== undefined && { usageLimit: countOf(usage, '--usage-limit') }),
    ...(meta && { metadata: metadataOf(meta) }),
  }
}
