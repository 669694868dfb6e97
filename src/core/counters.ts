/**
 * Counts that several nodes share. Each name has a bucket that leaks all the time: what was poured in is gone after a
 * minute at the latest, so there is no window at whose edge somebody waits.
 */
export interface SharedCounters {
  /**
   * Adds to a bucket, if it fits. One step of the database: nodes that pour at the same time lose nothing, and never
   * pass the capacity together.
   *
   * @param name of the bucket; kept as it is, so nothing secret
   * @param amount a whole number, 1 or more
   * @param capacity what the bucket holds, and what leaks out of it in a minute
   * @throws AuthError `verifier_unavailable` when the database cannot be reached
   */
  pour(name: string, amount: number, capacity: number): Promise<Poured>
}

/** What came of it. */
export interface Poured {
  /** Whether the amount fitted and was added. */
  readonly isPoured: boolean
  /** How full the bucket is now, a fraction counted. */
  readonly level: number
}
