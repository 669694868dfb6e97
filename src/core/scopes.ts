/** Which scopes contain which: `{ 'files:write': ['files:read'] }` says that who may write may read. Transitive. */
export type ScopeHierarchy = Readonly<Record<string, readonly string[]>>

/** RFC 6749 section 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`. */
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Whether the text is one scope-token of RFC 6749 section 3.3 (printable ASCII, no space, quote or backslash). */
export function isScopeToken(text: string): boolean {
  return typeof text === 'string' && scopeToken.test(text)
}

/**
 * Splits a `scope` string as RFC 6749 section 3.3 writes it: separated by spaces only, case-sensitive, each once.
 * A part that is no scope-token stays in the list: it is compared, never trusted.
 */
export function parseScopes(scope: string): string[] {
  const parts = new Set<string>()
  for (let start = 0; start < scope.length; ) {
    const space = scope.indexOf(' ', start)
    const end = space === -1 ? scope.length : space
    if (end > start) parts.add(scope.slice(start, end))
    start = end + 1
  }
  return [...parts]
}

/**
 * Checks a list of scopes given as an option and copies it.
 * @throws TypeError naming the option when it is not a list of scope-tokens, or names a scope of the identity layer
 *   (`offline_access`, `openid`, …), which no resource may ask for (MCP authorization, "Refresh Tokens").
 */
export function scopeList(option: string, scopes: unknown): readonly string[] {
  if (!Array.isArray(scopes)) throw new TypeError(`${option} must be a list of scopes`)
  for (const scope of Array.from(scopes)) {
    if (typeof scope !== 'string' || !isScopeToken(scope)) {
      throw new TypeError(`${option} must hold scopes: printable ASCII without space, quote or backslash`)
    }
    if (identityScopes.has(scope)) {
      throw new TypeError(
        `${option}: "${scope}" concerns the client and its authorization server, a resource cannot require it`,
      )
    }
  }
  return Object.freeze([...new Set(scopes as string[])])
}

const identityScopes = new Set(['offline_access', 'openid', 'profile', 'email', 'address', 'phone'])

/**
 * Decides whether granted scopes cover needed ones. Exact and case-sensitive; no wildcards (`*` is a scope like any
 * other) unless the hierarchy says so.
 *
 * @example
 * ```ts
 * import { scopePolicy } from 'mcp-bearer'
 *
 * const policy = scopePolicy({ 'files:admin': ['files:write'], 'files:write': ['files:read'] })
 * policy.covers(['files:admin'], ['files:read']) // true
 * ```
 */
export interface ScopePolicy {
  /** True when every needed scope is granted, directly or through the hierarchy. */
  covers(granted: readonly string[], needed: readonly string[]): boolean
}

/**
 * Makes a {@link ScopePolicy}. MCP authorization, "Step-Up Authorization Flow": servers account for scope hierarchies.
 * @throws TypeError when the hierarchy holds something that is no scope, or contains itself
 */
export function scopePolicy(hierarchy: ScopeHierarchy = {}): ScopePolicy {
  const contained = closure(hierarchy)
  return {
    covers(granted, needed) {
      return needed.every(
        (scope) => granted.includes(scope) || granted.some((own) => contained.get(own)?.has(scope) === true),
      )
    },
  }
}

function closure(hierarchy: ScopeHierarchy): Map<string, ReadonlySet<string>> {
  // A `Map` or a list has no own names: its scopes would be silently without effect.
  if (Object.prototype.toString.call(hierarchy) !== '[object Object]') {
    throw new TypeError('scopeHierarchy must be an object of lists of scopes')
  }
  const direct = new Map<string, readonly string[]>()
  for (const [scope, narrower] of Object.entries(hierarchy)) {
    direct.set(scopeList('scopeHierarchy', [scope])[0]!, scopeList(`scopeHierarchy["${scope}"]`, narrower))
  }
  const all = new Map<string, ReadonlySet<string>>()
  for (const scope of direct.keys()) all.set(scope, reach(scope, direct))
  return all
}

function reach(start: string, direct: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [...(direct.get(start) ?? [])]
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (scope === start) throw new TypeError(`scopeHierarchy: "${start}" contains itself`)
    if (found.has(scope)) continue
    found.add(scope)
    open.push(...(direct.get(scope) ?? []))
  }
  return found
}
