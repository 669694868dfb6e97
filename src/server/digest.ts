/**
 * The first half of SHA-256 over a text, as lower-case hex: tells what was signed from what it is used for, on every
 * runtime.
 */
export async function digest(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The digest of what a call is for: its target and arguments, whatever the order of their members. */
export function digestOfCall(params: unknown): Promise<string> {
  const { name, uri, arguments: args } = (params ?? {}) as Record<string, unknown>
  return digest(JSON.stringify([name ?? null, uri ?? null, sorted(args)]))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value ?? null
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return { members: entries.map(([name, member]) => [name, sorted(member)]) }
}
