import type { Bench } from './bench.ts'

/** What a check cannot do without. */
export type Need =
  /** A sender that can send anything. */
  | 'raw'
  /** An answer of the protocol at the endpoint. */
  | 'mcp'
  /** A server that asks for a token. */
  | 'protected'
  /** A token the server takes. */
  | 'admitted'

/** One thing a probe looks at. */
export interface Check {
  readonly id: string
  /** What is looked at, for people: `A request without a token`. */
  readonly title: string
  readonly needs: readonly Need[]
  /**
   * Reports what is not as a specification or a requirement demands it, and nothing else.
   * @throws CannotTell when it cannot say
   */
  run(bench: Bench): Promise<void>
}
