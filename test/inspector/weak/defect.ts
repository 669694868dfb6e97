import type { FindingCode } from '../../../src/inspector/probe/finding-texts.ts'
import type { Parts } from './weak-server.ts'

/** A server with one planted defect, and all that a probe has to find. */
export interface Defect {
  /** What was done wrong. */
  readonly name: string
  readonly broken: Partial<Parts>
  /** A token it takes. Default: a good one. */
  readonly token?: () => string
  /** The origin it believes to be reached by. Default: the one where it listens. */
  readonly knownAs?: string
  /** Exactly these: the defect, and what follows from it. */
  readonly found: readonly FindingCode[]
}
