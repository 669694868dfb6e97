import type { KeyEnvironment } from '../../apikeys/key-record.ts'
import { AuthError, redact } from '../../core/index.ts'
import { keyCheckLines } from '../../inspector/token/checks.ts'
import { tokenKind } from '../../inspector/token/token-kind.ts'
import { apiKeyVerifier, type TokenRefusal } from '../../verify/index.ts'
import { refusalOf } from '../../verify/report.ts'
import { openKeysDatabase } from '../keys/database.ts'
import { keyFacts } from '../keys/facts.ts'
import { peppersOf } from '../keys/peppers.ts'
import type { Terminal } from '../terminal.ts'
import type { ServerAnswer } from './ask-server.ts'
import type { Verdict } from './verdict.ts'

/** A server that takes API keys. */
export interface AskedKeys {
  /** As `--db` takes it. */
  readonly db: string
  readonly audience?: string | undefined
  readonly environment?: KeyEnvironment | undefined
  readonly requiredScopes?: readonly string[] | undefined
}

type Database = Awaited<ReturnType<typeof openKeysDatabase>>

/**
 * Asks the verifier of API keys. No request is made, so none is counted: the key has as many uses left as before, and
 * nothing is written down.
 */
export async function askKeys(token: string, asked: AskedKeys, terminal: Terminal): Promise<ServerAnswer> {
  const database = await openKeysDatabase(asked.db, {}, terminal)
  try {
    return await answerOf(token, asked, database)
  } finally {
    await database.store.close()
  }
}

async function answerOf(token: string, asked: AskedKeys, database: Database): Promise<ServerAnswer> {
  const isImported = tokenKind(token).kind !== 'api_key'
  const { told, keyId } = await verdictOf(token, asked, database, isImported)
  const key = keyId === undefined ? undefined : await database.keys.get(keyId)
  // What is used up is found when it is counted, and here nothing is.
  const isSpent = told.verdict === 'accepted' && key?.status === 'exhausted'
  const final = isSpent ? refused(refusalOf('usage_exhausted', {}, token)) : told
  const notAsked = new Set([
    ...(key?.addresses ? (['address'] as const) : []),
    ...((asked.requiredScopes ?? []).length === 0 ? (['scopes'] as const) : []),
  ])
  const { verdict, refusal } = final
  return {
    told: final,
    checks: keyCheckLines({ verdict, reason: refusal?.reason, notAsked }),
    ...(key && { apiKey: key, facts: keyFacts(key, database.store.time()) }),
    notes:
      verdict === 'accepted' && isImported
        ? ['It was imported: a server has to be told to take such keys (imported).']
        : [],
  }
}

/** The verdict, and which key it is about when its secret is right. */
async function verdictOf(
  token: string,
  { environment, audience, requiredScopes }: AskedKeys,
  { store }: Database,
  isImported: boolean,
): Promise<{ readonly told: Verdict; readonly keyId?: string | undefined }> {
  const peppers = peppersOf(process.env.MCP_BEARER_PEPPER)
  let refusal: TokenRefusal | undefined
  const verifier = apiKeyVerifier(
    {
      store,
      imported: isImported,
      ...(peppers && { peppers }),
      ...(environment && { environment }),
      ...(audience !== undefined && { audience }),
      ...(requiredScopes && { requiredScopes }),
    },
    {
      logger: () => {},
      onRefused: (told) => {
        refusal = told
      },
    },
  )
  try {
    const good = await verifier.verifyToken(token, { isRecheck: true })
    if (good === null) return { told: refused(refusal) }
    return {
      told: { verdict: 'accepted', message: 'The API key is good.' },
      keyId: String(good.claims.key_id),
    }
  } catch (error) {
    return { told: explained(error) }
  } finally {
    await verifier.close()
  }
}

function refused(refusal: TokenRefusal | undefined): Verdict {
  const { message = 'The API key is not good.', remedy } = refusal ?? {}
  return {
    verdict: 'refused',
    message,
    ...(remedy !== undefined && { remedy }),
    ...(refusal && { refusal }),
  }
}

function explained(error: unknown): Verdict {
  if (!(error instanceof AuthError)) throw error
  if (error.code === 'insufficient_scope') {
    return {
      verdict: 'insufficient_scope',
      message: 'The API key is good, and lacks a scope that every key needs.',
      remedy: `It needs: ${error.scopes?.join(' ')}`,
    }
  }
  if (error.code !== 'verifier_unavailable') throw error
  return {
    verdict: 'unavailable',
    message: redact(`${error.message}.`),
    remedy: 'See that this machine reaches the database, and that its name is right.',
  }
}
