/** Runs work of one key strictly one after another, in the order of the calls. What fails holds nobody up. */
export type OneAtATime = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Makes a {@link OneAtATime} for this process. */
export function oneAtATime(): OneAtATime {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = last.get(key)
    const turn = after(before, work)
    last.set(key, turn)
    try {
      return await turn
    } finally {
      if (last.get(key) === turn) last.delete(key)
    }
  }
}

async function after<T>(before: Promise<unknown> | undefined, work: () => Promise<T>): Promise<T> {
  await before?.catch(() => {})
  return work()
}
