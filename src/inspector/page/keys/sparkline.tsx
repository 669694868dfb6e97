import type { JSX } from 'preact'
import { dayWords, usesWords } from './words.ts'

const [barWidth, gap, height] = [3, 1, 20]
const dayMs = 86_400_000

/**
 * How often a key was used on each day, as small bars. Whoever does not see them is told the sum and the best day.
 *
 * @param counts of as many days, the last one today
 * @param from the first day, `YYYY-MM-DD`
 */
export function Sparkline({
  counts,
  from,
}: {
  readonly counts: readonly number[]
  readonly from: string
}): JSX.Element {
  const most = Math.max(...counts, 1)
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${counts.length * (barWidth + gap)} ${height}`}
      role="img"
      aria-label={sparklineWords(counts, from)}
    >
      <path class="none" d={bars(counts, (count) => (count === 0 ? 1 : 0))} />
      <path d={bars(counts, (count) => barHeight(count, most))} />
    </svg>
  )
}

/** `30 days: 1,204 uses, most on 12 November`. */
export function sparklineWords(counts: readonly number[], from: string): string {
  const sum = counts.reduce((all, count) => all + count, 0)
  const words = `${counts.length} days: ${usesWords(sum)}`
  if (sum === 0) return words
  const best = counts.indexOf(Math.max(...counts))
  return `${words}, most on ${dayWords(Date.parse(from) + best * dayMs)}`
}

/** All bars in one path: of a thousand keys, an element for each day would be slow. */
function bars(counts: readonly number[], heightOf: (count: number) => number): string {
  return counts
    .map((count, day) => [day * (barWidth + gap), heightOf(count)] as const)
    .filter(([, tall]) => tall > 0)
    .map(([x, tall]) => `M${x} ${height}v${-tall}h${barWidth}v${tall}z`)
    .join('')
}

/** A day without uses is a line that is drawn for itself, one with a single use is more than that. */
function barHeight(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(3, Math.round((count / most) * height))
}
