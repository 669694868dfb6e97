import type { Registry } from './registry.ts'

/** What those who listen are told (MCP "List Changed Notification", "Subscriptions"). */
export interface ChangeListener {
  toolsChanged(): void
  promptsChanged(): void
  resourcesChanged(): void
  resourceUpdated(uri: string): void
}

/** Passes on what has changed to everybody who has clients to tell. */
export interface Changes {
  /** @returns what takes the listener away again */
  listen(listener: ChangeListener): () => void
  resourceUpdated(uri: string): void
}

/** Watches a registry. Many changes at once are told once. */
export function changesOf({ tools, resources, templates, prompts }: Registry): Changes {
  const listeners = new Set<ChangeListener>()
  const told = (tell: (listener: ChangeListener) => void) => {
    let isPending = false
    return () => {
      if (isPending || listeners.size === 0) return
      isPending = true
      queueMicrotask(() => {
        isPending = false
        for (const listener of listeners) tell(listener)
      })
    }
  }
  tools.onChange(told((listener) => listener.toolsChanged()))
  prompts.onChange(told((listener) => listener.promptsChanged()))
  const resourcesChanged = told((listener) => listener.resourcesChanged())
  resources.onChange(resourcesChanged)
  templates.onChange(resourcesChanged)
  return {
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    resourceUpdated(uri) {
      for (const listener of listeners) listener.resourceUpdated(uri)
    },
  }
}
