import type { AuditEvent } from './audit-event.ts'
import { chainedHash, chainStart } from './audit-hash.ts'
import type { KeyStore } from './key-store.ts'

/** What {@link verifyAudit} found. */
export interface AuditVerdict {
  /** Whether every event is as it was recorded, and none is missing between the first and the last one. */
  readonly isIntact: boolean
  /** How many events were looked at. */
  readonly count: number
  /** The first event that is there. What was before it has been pruned, or removed. */
  readonly first?: AuditMark
  /** The last event that is in order. Keep it elsewhere: the next time, it shows whether the end of the log was cut off. */
  readonly last?: AuditMark
  /** Where the chain breaks first: what came before is as it was recorded. */
  readonly broken?: {
    /** Of the event where it shows. */
    readonly sequence: number
    /**
     * - `changed`: the event is not what was recorded, or the one before was removed.
     * - `missing`: events before it are not there.
     * - `cut_off`: the event that was known is not there, nor any after it.
     */
    readonly cause: 'changed' | 'missing' | 'cut_off'
  }
}

/** Which event, and what its hash was. */
export interface AuditMark {
  readonly sequence: number
  readonly hash: string
}

/**
 * Checks the chain of the audit log, page by page, from the beginning or from an event that is known: each event holds
 * the hash of the one before. Whoever can write to the database can write a whole new chain; against that helps only to
 * keep the {@link AuditVerdict.last | last event} of a check where they cannot.
 *
 * @param store whose log it is, or anything that reads events like it, such as an export
 * @param known an event of an earlier check: it must still be there, unless it was pruned with all before it
 * @returns what was found; that something was changed is an answer, and no error
 * @throws AuthError `verifier_unavailable` when the log cannot be read
 * @throws TypeError when `known` is no such mark
 *
 * @example
 * ```ts
 * import { memoryKeyStore, verifyAudit } from 'mcp-bearer/keys'
 *
 * const { isIntact, broken } = await verifyAudit(memoryKeyStore())
 * if (!isIntact) throw new Error(`the audit log was tampered with at ${broken?.sequence}`)
 * ```
 */
export async function verifyAudit(
  store: Pick<KeyStore, 'readAudit'>,
  known?: AuditMark,
): Promise<AuditVerdict> {
  if (known !== undefined && !(Number.isSafeInteger(known.sequence) && typeof known.hash === 'string')) {
    throw new TypeError('verifyAudit: known must be the last of an earlier check')
  }
  const chain = chainReader(known)
  // From the one before it, whose hash is part of its own.
  for (let after = Math.max((known?.sequence ?? 2) - 2, 0); ; ) {
    const events = await store.readAudit({ after, limit: pageSize })
    for (const event of events) if (!chain.add(event)) return chain.verdict()
    after = events.at(-1)?.sequence ?? after
    if (events.length < pageSize) return chain.verdict()
  }
}

const pageSize = 1000

function chainReader(known: AuditMark | undefined) {
  let count = 0
  let first: AuditMark | undefined
  let last: AuditMark | undefined
  let broken: AuditVerdict['broken']

  const flawOf = (event: AuditEvent) => {
    const { sequence, hash } = event
    if (last !== undefined && sequence !== last.sequence + 1) return 'missing'
    if (sequence === known?.sequence && hash !== known.hash) return 'changed'
    const before = sequence === 1 ? chainStart : last?.hash
    // Of the first one that is left, nobody knows what was before it.
    return before === undefined || chainedHash(before, event) === hash ? undefined : 'changed'
  }

  return {
    /** @returns false when the chain is broken there */
    add(event: AuditEvent): boolean {
      count += 1
      const cause = flawOf(event)
      if (cause !== undefined) {
        broken = Object.freeze({ sequence: event.sequence, cause })
        return false
      }
      last = Object.freeze({ sequence: event.sequence, hash: event.hash })
      first ??= last
      return true
    },
    verdict(): AuditVerdict {
      if (broken === undefined && known !== undefined && (last?.sequence ?? 0) < known.sequence) {
        broken = Object.freeze({ sequence: known.sequence, cause: 'cut_off' })
      }
      return Object.freeze({
        isIntact: broken === undefined,
        count,
        ...(first && { first }),
        ...(last && { last }),
        ...(broken && { broken }),
      })
    },
  }
}
