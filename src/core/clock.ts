/** The time in milliseconds since 1970-01-01T00:00Z. An argument wherever time decides something, so that tests can freeze it. */
export type Clock = () => number

/** The clock of this machine. The only place that reads it. */
export const systemClock: Clock = () => Date.now()

/** Milliseconds since some moment, never going back: for how long something took, and never for when it was. */
export const stopwatch: () => number = () => performance.now()
