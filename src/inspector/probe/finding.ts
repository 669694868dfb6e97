import type { ProbeRequest, ProbeResponse } from './exchange.ts'
import type { FindingCode } from './finding-texts.ts'

/**
 * How bad a finding is.
 *
 * | severity | meaning |
 * |---|---|
 * | `critical` | somebody without a good token gets in, or a token gets out |
 * | `serious` | a MUST of a specification is broken, or clients cannot work with it |
 * | `minor` | a SHOULD is broken, or a limit is missing that a careful operator sets |
 * | `note` | worth knowing, nothing to repair |
 */
export type Severity = 'critical' | 'serious' | 'minor' | 'note'

/** All severities, the worst first. */
export const severities: readonly Severity[] = Object.freeze(['critical', 'serious', 'minor', 'note'])

/** Where something is demanded. */
export interface Citation {
  /** Such as `RFC 6750 section 3.1`. */
  readonly name: string
  readonly url: string
}

/** The words of a finding; the same wherever it is shown. */
export interface FindingText {
  readonly severity: Severity
  /** One sentence: what is wrong. */
  readonly title: string
  /** What the specification says, in our words. */
  readonly demand: string
  readonly citation: Citation
  /** What to do. */
  readonly fix: string
}

/** One request and its answer, as they may be shown: tokens are taken out. */
export interface SeenExchange {
  readonly request: ProbeRequest
  /** `undefined` when there was none; `problem` says why. */
  readonly response: ProbeResponse | undefined
  readonly problem?: string
}

/** What a check came upon, before it is put into words. */
export interface Observation {
  readonly code: FindingCode
  /** What exactly was found, such as which spellings; one or two sentences. */
  readonly detail: string
  readonly seen: readonly SeenExchange[]
}

/** Something that is not as it should be, with the evidence. */
export interface Finding extends FindingText, Observation {}
