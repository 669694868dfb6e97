import { type AuditMark, type AuditVerdict, verifyAudit } from '../../apikeys/audit-chain.ts'
import type { KeyStore } from '../../apikeys/key-store.ts'
import { UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import type { LocalOutcome } from '../local-command.ts'

/**
 * The event an earlier check ended with, as `SEQUENCE:HASH`.
 * @throws UsageError
 */
export function markOf(text: string): AuditMark {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (sequence === undefined || hash === undefined)
    throw new UsageError('--known must be what an earlier --verify printed, as 42:9f86d0…')
  return { sequence: Number(sequence), hash }
}

/** Walks the chain of all events and says where it breaks. */
export async function verifyChain(store: KeyStore, known: AuditMark | undefined): Promise<LocalOutcome> {
  const verdict = await verifyAudit(store, known)
  const { isIntact, count, first, last, broken } = verdict
  return {
    json: {
      ok: isIntact,
      events: count,
      ...(first && { first }),
      ...(last && { last }),
      ...(broken && { broken }),
    },
    lines: broken ? brokenLines(broken) : intactLines(verdict),
    exit: isIntact ? exitCode.ok : exitCode.failed,
  }
}

function intactLines({ count, first, last }: AuditVerdict): string[] {
  const begins = first === undefined || first.sequence === 1 ? '' : `, from event ${first.sequence} on`
  return [
    `The chain is whole: ${count} events${begins}.`,
    ...(last
      ? [
          'Keep this elsewhere; with it the next check also sees whether the end was cut off:',
          `  mcp-bearer keys audit --verify --known ${last.sequence}:${last.hash}`,
        ]
      : []),
  ]
}

const causes: Readonly<Record<NonNullable<AuditVerdict['broken']>['cause'], string>> = {
  changed: 'it is not what was recorded, or the event before it is not',
  missing: 'events before it were removed',
  cut_off: 'it is not there any more, nor is any event after it',
}

function brokenLines({ sequence, cause }: NonNullable<AuditVerdict['broken']>): string[] {
  return [
    `The chain is broken at event ${sequence}: ${causes[cause]}.`,
    'What came before is as it was recorded. Compare with a log that was exported earlier.',
  ]
}
