const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** How far away an end is: `in 59 minutes 12 seconds`, `3 hours 1 minute ago`. The two largest units. */
export function expiryWords(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000)
  if (seconds === 0) return 'now'
  const first = units.findIndex(([, size]) => seconds >= size)
  const words = units
    .slice(first, first + 2)
    .map(
      ([unit, size], at) =>
        [Math.floor((at === 0 ? seconds : seconds % units[first]![1]) / size), unit] as const,
    )
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ')
  return ms > 0 ? `in ${words}` : `${words} ago`
}

/** Seconds before the end at which it is said aloud: whoever listens does not want to hear every second. */
const saidAt = [300, 60, 0] as const

/**
 * What to say aloud when the time goes from one moment to the next.
 * @param before milliseconds that were left
 * @param after milliseconds that are left
 */
export function saidBetween(before: number, after: number): string | undefined {
  const passed = saidAt.findLast((seconds) => before > seconds * 1000 && after <= seconds * 1000)
  if (passed === undefined) return undefined
  return passed === 0
    ? 'The token has expired.'
    : `The token expires in ${passed === 60 ? 'one minute' : 'five minutes'}.`
}
