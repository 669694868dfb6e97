/** Counts what is under way for whom. */
export interface UnderWay {
  /** @returns whether there may be one more; if so, it has begun */
  begin(owner: string): boolean
  /** One that had begun is over. */
  end(owner: string): void
}

/**
 * Makes an {@link UnderWay}. Over one connection anybody can ask any number of things at once (RFC 9112 section 9.3.2), and
 * each of them takes memory here and a connection to the server behind.
 */
export function underWay(most: number): UnderWay {
  const counts = new Map<string, number>()
  return {
    begin(owner) {
      const count = counts.get(owner) ?? 0
      if (count >= most) return false
      counts.set(owner, count + 1)
      return true
    },
    end(owner) {
      const left = (counts.get(owner) ?? 0) - 1
      if (left > 0) counts.set(owner, left)
      else counts.delete(owner)
    },
  }
}
