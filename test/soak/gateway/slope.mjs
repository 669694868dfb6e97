// Whether what a process holds grows with what it has done.

/**
 * The median of the slopes between all pairs of points (Theil and Sen): a few points that lie off, as after a collection
 * that came late, do not move it.
 *
 * @param {readonly (readonly [x: number, y: number])[]} points
 */
export function slopeOf(points) {
  const slopes = points.flatMap(([x, y], n) =>
    points.slice(n + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)),
  )
  slopes.sort((a, b) => a - b)
  const half = Math.floor(slopes.length / 2)
  return slopes.length % 2 === 1 ? slopes[half] : (slopes[half - 1] + slopes[half]) / 2
}
