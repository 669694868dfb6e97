import { expandHome, readSecretFile } from '../../client/stores/secret-file.ts'
import type { PublicJwk } from '../../verify/index.ts'
import { UsageError } from '../command.ts'
import { printableLine } from '../printable.ts'

/** Bytes: what a key set may have. */
const longest = 65_536

/**
 * The public key of a file: PEM, a JWK, or a JSON Web Key Set, of which the one with this `kid` is taken, or the only
 * one.
 * @throws UsageError
 */
export async function readPublicKey(path: string, kid: unknown): Promise<string | PublicJwk> {
  const found = await readSecretFile(await expandHome(path), longest)
  const name = printableLine(path, 200)
  if ('fault' in found) throw new UsageError(`--public-key: ${name} ${found.fault}`)
  const text = found.text.trim()
  if (!text.startsWith('{')) return text
  const keys = keysOf(text)
  if (keys === undefined) return text
  const fitting = keys.length === 1 ? keys : keys.filter((key) => key?.kid === kid)
  const [key] = fitting
  if (key === undefined || fitting.length > 1) {
    const kids = keys.map((each) => printableLine(String(each?.kid ?? 'none'), 60)).join(', ')
    throw new UsageError(
      `--public-key: ${name} has no single key of the token's kid; it has ${kids || 'no keys'}`,
    )
  }
  return key
}

/** The keys of a set (RFC 7517 section 5); `undefined` for what is none. */
function keysOf(text: string): readonly PublicJwk[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown }
    return Array.isArray(keys) ? (keys as PublicJwk[]) : undefined
  } catch {
    // The verifier says what is wrong with it.
    return undefined
  }
}
