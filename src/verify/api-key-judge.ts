import { longestText } from '../apikeys/format.ts'
import type { KeyRecord } from '../apikeys/key-record.ts'
import type { UseContext } from '../apikeys/key-uses.ts'
import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import { throttled } from '../core/log.ts'
import type { Admission } from './api-key-admission.ts'
import { isExample, type KeyName, nameOf } from './api-key-name.ts'
import type { KeySettings } from './api-key-options.ts'
import type { KeyRead, KeyReads } from './api-key-reads.ts'
import { grantOfRecord } from './api-key-record.ts'
import type { KeyWatch } from './api-key-watch.ts'
import type { Environment } from './environment.ts'
import type { Call, Outcome } from './inside.ts'
import type { KeyCache, KnownKey } from './key-cache.ts'
import type { RefusalReason } from './refusal.ts'
import { digestOf } from './remembered.ts'

/** What a judgement stands on. */
export interface Parts {
  readonly cache: KeyCache
  readonly reads: KeyReads
  readonly watch: KeyWatch
  readonly admission: Admission
}

/** Judges keys: by what is remembered of them, or by what the store says. */
export function keyJudge(
  settings: KeySettings,
  world: Environment,
  parts: Parts,
): (token: string, call: Call) => Outcome | Promise<Outcome> {
  const { cache, watch, admission } = parts
  const { onEvent } = world
  const { maxAge } = settings
  const lookUp = keyLookUp(settings, world, parts)

  return (token, call) => {
    const digest = digestOfShort(token)
    const isInformed = watch.isInformed()
    // Only of what is a key anything is remembered, so that most often its form is not looked at again.
    const known = isInformed ? cache.find(digest) : undefined
    if (known?.record !== undefined && stopwatch() - known.readAt < maxAge) {
      remembered('key', call)
      return admission.judge(token, known.record, known.grant, call)
    }
    const name = nameOf(token, settings)
    if (typeof name === 'string') return name
    const bad = isInformed ? cache.refusal(digest) : undefined
    if (bad !== undefined) {
      remembered('negative', call)
      return admission.refused(bad.reason, bad.record, call)
    }
    call.cache = 'miss'
    onEvent?.({ type: 'cache.miss', cache: 'key' })
    return lookUp({ id: name.id, digest, token, call })
  }

  function remembered(cacheName: 'key' | 'negative', call: Call): void {
    call.cache = 'hit'
    onEvent?.({ type: 'cache.hit', cache: cacheName })
  }
}

/** What is too long for a key is not read, and no text has an empty digest. */
function digestOfShort(token: string): string {
  const isShort = typeof token === 'string' && token.length <= longestText
  return (isShort ? digestOf(token) : undefined) ?? ''
}

/** What is asked about a key. */
interface Asked extends KeyName {
  readonly digest: string
  readonly token: string
  readonly call: Call
}

/** Judges a key by what the store says. */
function keyLookUp(
  settings: KeySettings,
  { clock, log, onEvent }: Environment,
  { cache, reads, watch, admission }: Parts,
) {
  const { hasher, lastKnownFor } = settings
  const warn = throttled(log, clock)
  const keep = keeping(cache, watch)
  return lookUp

  async function lookUp(asked: Asked): Promise<Outcome> {
    const { id, digest, token, call } = asked
    // First, or a change in between is missed.
    watch.begin()
    const read = reads.of(id)
    const answer = await read.answer
    if ('error' in answer) {
      const last = lastKnown(digest, answer.error, call)
      if (last?.record === undefined) throw answer.error
      return admission.judge(token, last.record, last.grant, call)
    }
    const { record } = answer
    // The same work whether there is one or not.
    const isRight = hasher.matches(token, record)
    if (record === undefined || !isRight) return refuse(asked, record, read)
    const grant = grantOfRecord(record, token)
    const at = read.startedAt
    keep({ id, digest, grant, record, readAt: at, recordAt: at, knownUntil: at, isOutdated: false }, read)
    return admission.judge(token, record, grant, call, rehashOf(record, token))
  }

  function refuse(
    { id, digest, token, call }: Asked,
    record: KeyRecord | undefined,
    { isCurrent, startedAt }: KeyRead,
  ): RefusalReason {
    const isExampleOnly = record === undefined && settings.isImported && isExample(token)
    const reason = isExampleOnly ? 'placeholder' : record === undefined ? 'unknown_key' : 'wrong_secret'
    const named = record && { id, lineageId: record.lineageId, name: record.name }
    if (isCurrent) {
      cache.keepBad(digest, { reason, record: named, readAt: startedAt })
      if (record === undefined) cache.lose(id)
    }
    return admission.refused(reason, named, call)
  }

  /** Only where the store cannot be reached, and nothing was heard of the key since it was read. */
  function lastKnown(digest: string, error: unknown, call: Call): KnownKey | undefined {
    const isOutage = error instanceof AuthError && error.code === 'verifier_unavailable'
    const known = isOutage ? cache.find(digest) : undefined
    if (known === undefined || stopwatch() - known.readAt >= lastKnownFor) return undefined
    call.cache = 'hit'
    onEvent?.({ type: 'fail_open', component: 'keys' })
    warn({
      level: 'warn',
      event: 'keys_served_unchecked',
      message: 'The key store cannot be reached; keys that were good before are taken (serveLastKnownFor)',
    })
    return known
  }

  /** The digest a key shall have, where it has not the newest kind. */
  function rehashOf({ hashAlgorithm }: KeyRecord, token: string): UseContext['rehash'] {
    const { algorithm } = hasher
    return hashAlgorithm === algorithm ? undefined : { hash: hasher.hash(token), hashAlgorithm: algorithm }
  }
}

/** Keeps what was read. One that was changed meanwhile too, or a stream that is opened with it now never hears of that. */
function keeping(cache: KeyCache, watch: KeyWatch) {
  return (key: KnownKey, { isCurrent, startedAt }: KeyRead): void => {
    const isNewest = (cache.findId(key.id)?.recordAt ?? startedAt) <= startedAt
    if (isCurrent || isNewest) cache.keep(key)
    if (!isCurrent && isNewest) watch.missed(key.id)
  }
}
