import { redact } from '../core/redact.ts'
import type { By } from './api-key.ts'
import type { Actor, AuditEntry } from './audit-event.ts'
import { givenOptions, shortText } from './input.ts'

/** A {@link By} that was checked. */
export interface Doer {
  /** What each audit entry of the occasion holds. */
  readonly told: Pick<AuditEntry, 'actor' | 'requestId' | 'reason'>
  /** The actor in one text, for the columns of a key: `user:alice`. */
  readonly name: string
}

const actorTypes: readonly unknown[] = ['key', 'user', 'cli', 'system'] satisfies Actor['type'][]

/**
 * Reads who does something.
 * @throws TypeError naming the member that is wrong
 */
export function readBy(owner: string, by: By = {}): Doer {
  const given = givenOptions(`${owner}: by`, by, ['actor', 'requestId', 'reason'])
  const actor = given.actor === undefined ? system : readActor(`${owner}: by.actor`, given.actor)
  const { requestId, reason } = given
  return {
    told: {
      actor,
      ...(requestId === undefined ? {} : { requestId: shortText(`${owner}: by.requestId`, requestId) }),
      ...(reason === undefined ? {} : { reason: readReason(`${owner}: by.reason`, reason) }),
    },
    name: [actor.type, actor.id ?? actor.name].filter((part) => part !== undefined).join(':'),
  }
}

const system: Actor = Object.freeze({ type: 'system' })

function readActor(owner: string, actor: Actor): Actor {
  const { type, id, name } = givenOptions(owner, actor, ['type', 'id', 'name'])
  if (!actorTypes.includes(type)) throw new TypeError(`${owner}.type must be one of ${actorTypes.join(', ')}`)
  return Object.freeze({
    type,
    ...(id === undefined ? {} : { id: shortText(`${owner}.id`, id) }),
    ...(name === undefined ? {} : { name: shortText(`${owner}.name`, name) }),
  })
}

/** Whoever ends a key that leaked may well paste it here: that must not stop him, nor stay. */
function readReason(option: string, reason: string): string {
  if (typeof reason !== 'string') throw new TypeError(`${option} must be a text`)
  return shortText(option, redact(reason), 500)
}
