import type { PolicyCaller } from '../policy.ts'
import { nameGlob } from './glob.ts'
import type { Globs, PolicyWho } from './policy-document.ts'

/** Whether a rule is for a caller: it is, it would be with more scopes, or it is for somebody else. */
export type Fit = 'fits' | 'lacks_scopes' | 'other'

/** Compiles whom a rule is for. */
export function whoOf({ scopes = [], ...others }: PolicyWho): (caller: PolicyCaller) => Fit {
  const conditions = conditionsOf(others)
  return (caller) => {
    for (const holds of conditions) if (!holds(caller)) return 'other'
    return scopes.length === 0 || caller.covers(scopes) ? 'fits' : 'lacks_scopes'
  }
}

type Condition = (caller: PolicyCaller) => boolean

function conditionsOf(who: Omit<PolicyWho, 'scopes'>): readonly Condition[] {
  const { subjects, clients, keys, issuers, tenants } = who
  return [
    issuers && (({ token }: PolicyCaller) => token.issuer !== undefined && issuers.includes(token.issuer)),
    oneFits(subjects, ({ token }) => [token.subject]),
    oneFits(clients, ({ token }) => [token.clientId]),
    oneFits(tenants, ({ token }) => [own(token.claims, 'tenant_id')]),
    oneFits(keys, namesOfKey),
  ].filter((condition) => condition !== undefined)
}

function oneFits(
  globs: Globs | undefined,
  textsOf: (caller: PolicyCaller) => readonly unknown[],
): Condition | undefined {
  if (globs === undefined) return undefined
  const fits = anyGlob(globs)
  return (caller) => textsOf(caller).some((text) => typeof text === 'string' && fits(text))
}

/** Compiles patterns of which one has to fit. What is longer than a name ever is fits none. */
export function anyGlob(globs: Globs): (name: string) => boolean {
  const exact = new Set(globs.filter((glob) => !glob.includes('*')))
  const patterns = globs.filter((glob) => glob.includes('*')).map(nameGlob)
  return (name) => name.length <= longestName && (exact.has(name) || patterns.some((fits) => fits(name)))
}

/** Characters. */
export const longestName = 1024

/**
 * Id and name of an API key. Tokens of issuers can have a claim `name` that their owner chooses; what only keys have
 * together, and no `iss`, tells them apart.
 */
function namesOfKey({ token }: PolicyCaller): readonly unknown[] {
  const { issuer, claims } = token
  const id = own(claims, 'key_id')
  const isKey =
    issuer === undefined && typeof id === 'string' && typeof own(claims, 'lineage_id') === 'string'
  return isKey ? [id, own(claims, 'name')] : []
}

function own(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}
