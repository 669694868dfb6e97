import { inspect } from 'node:util'
import { AuthError, type BearerChallenge } from 'mcp-bearer'
import type { TokenSource } from '../../src/client/token-source.ts'
import { failure } from './servers.ts'

/** No word from the server. */
export const silence: BearerChallenge = { scopes: [] }

/** What a source fails with; fails the test when that is no `AuthError`, or not `token_unavailable`. */
export async function authFailure(work: Promise<unknown>): Promise<AuthError> {
  const error = await failure(work)
  if (!(error instanceof AuthError)) throw error
  if (error.code !== 'token_unavailable') throw error
  return error
}

/** Refuses the token there is, and asks for the next one. */
export async function replaced(source: TokenSource, url: string, challenge = silence): Promise<string> {
  await source.refused?.(await source.token({ url }), challenge)
  return source.token({ url })
}

/** All that can be seen of a value: printed with hidden members, as JSON, as text, its stack. */
export function visible(value: unknown): string {
  const stack = value instanceof Error ? `${value.stack}\n${inspect(value.cause, { depth: 9 })}` : ''
  return [inspect(value, { showHidden: true, depth: 9 }), JSON.stringify(value), String(value), stack].join(
    '\n',
  )
}

/** An environment that logs nothing and has a clock to be moved. */
export function stillWorld() {
  const lines: string[] = []
  const world = {
    now: 1_800_000_000_000,
    lines,
    environment: {
      clock: () => world.now,
      logger: (entry: unknown) => void lines.push(JSON.stringify(entry)),
    },
  }
  return world
}
