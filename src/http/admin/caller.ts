import type { By } from '../../apikeys/api-key.ts'
import { idOfKey } from '../../apikeys/lifecycle-leak.ts'
import type { AccessToken } from '../../core/index.ts'
import type { Asking } from './operations.ts'

/** The audit log names who asked: the key, or the person or client behind another kind of token. */
export function byOf({ caller, requestId, body }: Asking): By {
  const keyId = keyOf(caller)
  const isKey = keyId !== undefined
  const id = keyId ?? caller?.subject ?? caller?.clientId
  const { reason } = body
  return {
    actor: {
      type: caller === undefined ? 'system' : isKey ? 'key' : 'user',
      ...(id !== undefined && { id }),
    },
    ...(requestId !== undefined && { requestId }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
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
