/** Whether two values of JSON are the same, in whatever order their members stand. */
export function sameJson(one: unknown, other: unknown): boolean {
  return one === other || written(one) === written(other)
}

function written(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}
