import type { DayOfUses, KeyUse } from '../key-store.ts'
import { type DaysAsked, dayOf, dayOfUse, dayOfUses, keptDays } from './use-days.ts'

/** How often keys were used, by id and day. */
export class UsesByDay {
  #uses = new Map<string, Map<number, number>>()
  #tidied = Number.NEGATIVE_INFINITY

  count(use: KeyUse): void {
    const days = this.#uses.get(use.id) ?? new Map<number, number>()
    const day = dayOfUse(use)
    this.#uses.set(use.id, days.set(day, (days.get(day) ?? 0) + use.count))
  }

  find({ ids, days }: DaysAsked): readonly DayOfUses[] {
    return ids.flatMap((id) =>
      days.flatMap((day) => {
        const count = this.#uses.get(id)?.get(day)
        return count === undefined ? [] : [dayOfUses(id, day, count)]
      }),
    )
  }

  /** Forgets days that are too old, once a day. */
  tidy(now: number): void {
    const today = dayOf(now)
    if (this.#tidied === today) return
    this.#tidied = today
    for (const days of this.#uses.values()) {
      for (const day of days.keys()) if (day < today - keptDays) days.delete(day)
    }
  }

  /** Forgets all other keys. */
  keep(isKept: (id: string) => boolean): void {
    for (const id of this.#uses.keys()) if (!isKept(id)) this.#uses.delete(id)
  }
}
