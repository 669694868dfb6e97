import type { Schedule } from '../../src/core/schedule.ts'

/** Time that passes when a test says so: a stopwatch, a clock, and what is scheduled by them. */
export function fakeTime() {
  let now = 0
  const runs = new Set<{ readonly run: () => void; readonly everyMs: number; next: number }>()
  const schedule: Schedule = (run, everyMs) => {
    const entry = { run, everyMs, next: now + everyMs }
    runs.add(entry)
    return () => void runs.delete(entry)
  }
  return {
    schedule,
    stopwatch: () => now,
    /** Milliseconds since 1970. */
    clock: () => 1_800_000_000_000 + now,
    /** How many are scheduled. */
    get scheduled() {
      return runs.size
    },
    /** Lets time pass, and what is due run in its order; what that begins has come as far as it can when it resolves. */
    async pass(milliseconds: number): Promise<void> {
      await settled()
      const end = now + milliseconds
      while (true) {
        const [due] = [...runs].sort((one, other) => one.next - other.next)
        if (due === undefined || due.next > end) break
        now = due.next
        due.next += due.everyMs
        due.run()
        await settled()
      }
      now = end
      await settled()
    },
    /** Lets time pass, and nobody act on it. */
    skip(milliseconds: number): void {
      now += milliseconds
    },
  }
}

/** All that waits for nothing but its turn has had it. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
