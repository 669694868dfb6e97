import type { By } from '../../apikeys/api-key.ts'
import type { Actor } from '../../apikeys/audit-event.ts'
import { idOfKey } from '../../apikeys/lifecycle-leak.ts'
import type { AccessToken } from '../../core/index.ts'
import type { Asking } from './operations.ts'

/** The audit log names who asked: the key, or the person or client behind another kind of token. */
export function byOf({ caller, requestId, body }: Asking): By {
  const { reason } = body
  return {
    actor: (caller && actors.get(caller)) ?? actorOf(caller),
    ...(requestId !== undefined && { requestId }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
  }
}

/** Who is behind a token that no issuer made. Not a claim: those of other tokens may say what people like. */
const actors = new WeakMap<AccessToken, Actor>()

/** Has the audit log name somebody whom this program knows otherwise than by the token. @returns the token */
export function actsAs(token: AccessToken, actor: Actor): AccessToken {
  actors.set(token, actor)
  return token
}

function actorOf(caller: AccessToken | undefined): Actor {
  const keyId = keyOf(caller)
  const isKey = keyId !== undefined
  const id = keyId ?? caller?.subject ?? caller?.clientId
  return {
    type: caller === undefined ? 'system' : isKey ? 'key' : 'user',
    ...(id !== undefined && { id }),
  }
}

/**
 * The id of the key a request was made with. The claim alone says nothing: an issuer of other tokens may let people write
 * into them what they like. So it must be that of the very credential, too.
 */
export function keyOf(caller: AccessToken | undefined): string | undefined {
  const id = caller && idOfKey(caller.token)
  return id !== undefined && id === caller?.claims.key_id ? id : undefined
}
