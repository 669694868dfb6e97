import type { Change } from '../key-store.ts'

/** Those in this process who want to know what a store object commits. */
export interface ChangeListeners {
  /** Returns what stops it. One who listens twice is told twice. */
  add(changed: (change: Change) => void): () => void
  tell(changes: readonly Change[]): void
  clear(): void
}

/** Makes {@link ChangeListeners}. */
export function changeListeners(): ChangeListeners {
  const listeners = new Set<(change: Change) => void>()
  return {
    add(changed) {
      const listener = (change: Change) => changed(change)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell(changes) {
      for (const change of changes) for (const listener of [...listeners]) quietly(listener, change)
    },
    clear: () => listeners.clear(),
  }
}

/** The change is committed, whatever somebody who listens makes of it; and all are told. */
function quietly(listener: (change: Change) => void, change: Change): void {
  try {
    listener({ ...change })
  } catch {
    // Nobody to tell: to reject would say that nothing was changed.
  }
}
