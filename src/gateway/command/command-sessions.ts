import type { CommandSession } from './command-session.ts'

/** How many sessions there may be, and how long one stays that is not used. */
export interface SessionLimits {
  readonly max: number
  readonly maxPerPrincipal: number
  /** Milliseconds. */
  readonly idleMs: number
}

/** All sessions, each with its owner. Possession of an id proves nothing: it is looked up together with its owner. */
export interface CommandSessions extends Iterable<CommandSession> {
  readonly size: number
  find(id: string, owner: string): CommandSession | undefined
  add(session: CommandSession): void
  /** Ends a session. Resolves when its process is gone, if it had one of its own. */
  remove(session: CommandSession): Promise<void>
  /** Whether one more of the principal's fits in, whatever keys they have. */
  hasRoom(principal: string): boolean
  /** The one of the principal that has been idle longest. */
  idleOf(principal: string): CommandSession | undefined
  /** Ends those that are not used. */
  sweep(now: number): void
}

/** Without any. */
export function commandSessions({ max, maxPerPrincipal, idleMs }: SessionLimits): CommandSessions {
  const byId = new Map<string, CommandSession>()
  const byPrincipal = new Map<string, Set<CommandSession>>()

  async function remove(session: CommandSession): Promise<void> {
    if (!byId.delete(session.id)) return
    const own = byPrincipal.get(session.principal)
    own?.delete(session)
    if (own?.size === 0) byPrincipal.delete(session.principal)
    await session.close()
  }

  return {
    get size() {
      return byId.size
    },
    [Symbol.iterator]: () => [...byId.values()].values(),
    find(id, owner) {
      const found = byId.get(id)
      return found?.owner === owner ? found : undefined
    },
    add(session) {
      byId.set(session.id, session)
      const own = byPrincipal.get(session.principal) ?? new Set()
      byPrincipal.set(session.principal, own.add(session))
    },
    remove,
    hasRoom: (principal) => byId.size < max && (byPrincipal.get(principal)?.size ?? 0) < maxPerPrincipal,
    idleOf(principal) {
      const idle = [...(byPrincipal.get(principal) ?? [])].filter(({ isBusy }) => !isBusy)
      return idle.sort((a, b) => a.usedAt - b.usedAt)[0]
    },
    sweep(now) {
      for (const session of byId.values()) {
        // Written so that a clock that says NaN ends it.
        if (!session.isBusy && !(now - session.usedAt < idleMs)) void remove(session)
      }
    },
  }
}
