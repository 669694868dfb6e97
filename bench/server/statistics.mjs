// Medians, and ratios in pairs.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

/** The median of the ratios of each round: what both suffered alike falls out. */
export function pairedRatio(numbers, base) {
  return median(numbers.map((number, round) => number / base[round]))
}

export function round(number, digits = 0) {
  return Number(number.toFixed(digits))
}
