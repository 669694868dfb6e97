/** `2027-01-31 18:00:00Z`. */
export function timeText(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

/** Units, the largest first; each is used from two of it on, minutes from one. */
const spans = [
  { unit: 'y', ms: 365 * 86_400_000, from: 2 },
  { unit: 'd', ms: 86_400_000, from: 2 },
  { unit: 'h', ms: 3_600_000, from: 2 },
  { unit: 'min', ms: 60_000, from: 1 },
] as const

/** How far away it is: `in 90 d`, `3 h ago`, `now`. */
export function distance(date: Date, now: number): string {
  const away = date.getTime() - now
  const span = spans.find(({ ms, from }) => Math.abs(away) >= ms * from)
  if (span === undefined) return 'now'
  const count = `${Math.round(Math.abs(away) / span.ms)} ${span.unit}`
  return away > 0 ? `in ${count}` : `${count} ago`
}
