// Numbers that look random and are the same each time (mulberry32).

/** @param {number} seed */
export function randomFrom(seed) {
  let state = seed >>> 0
  function next() {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (/** @type {number} */ n) => Math.floor(next() * n)
  return {
    below,
    /** True in so many of a hundred. */
    percent: (share) => next() * 100 < share,
    one: (list) => list[below(list.length)],
    many: (list, most) => Array.from({ length: below(most + 1) }, () => list[below(list.length)]),
    hex: () =>
      below(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
  }
}
