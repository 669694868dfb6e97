/** One requirement of a contract, for whatever runs your tests: `test(name, run)`. */
export interface ContractCase {
  /** The requirement as a sentence. */
  readonly name: string
  /** Rejects when the requirement is not met: with an `AssertionError`, or what failed that should not. Makes what it tests itself, and closes it. */
  run(): Promise<void>
}
