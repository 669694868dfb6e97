import { batch, type Signal, signal } from '@preact/signals'
import type { BearerChallenge } from '../../core/index.ts'
import type { InspectorConfig, WhoAmI } from '../../server/pages/inspector-config.ts'
import type { LogEntry } from './net/log-entry.ts'

/** What the server last said of the credential: a 401, 403 or 400 with a challenge, or a good answer. */
export interface Refusal {
  readonly status: number
  /** Whether it was said of a token, or of a request without one. */
  readonly withToken: boolean
  /** The value of `WWW-Authenticate`, all lines; empty when there was none. */
  readonly header: string
  readonly challenge: BearerChallenge | undefined
  /** The body, when it was short text; without tokens. */
  readonly body: string
}

/** What the page is told of its server. Set before anything is shown. */
export const config: Signal<InspectorConfig> = signal({ kind: 'server', name: '' })

/** The token, in memory and nowhere else. Empty: none. */
export const token: Signal<string> = signal('')

/** The requests of the page, the newest last; at most {@link mostEntries}. */
export const log: Signal<readonly LogEntry[]> = signal([])

/** So many requests are kept. */
export const mostEntries = 200

/** The last refusal, until an answer to the same credential is good. */
export const refusal: Signal<Refusal | undefined> = signal(undefined)

/** Who the server says the caller is; `undefined` while it is not known. */
export const identity: Signal<WhoAmI | undefined> = signal(undefined)

/** How far the page is with the server, and what the server said of itself. */
export interface Connection {
  readonly state: 'idle' | 'connecting' | 'ready' | 'refused' | 'failed'
  /** The protocol revision both speak, such as `2026-07-28`. */
  readonly revision?: string
  readonly serverName?: string
  readonly serverVersion?: string
  /** Why there is no connection, for people. */
  readonly problem?: string
}

/** Written by whoever speaks MCP, shown in the head of the page. */
export const connection: Signal<Connection> = signal({ state: 'idle' })

/** What has to be done when the token is forgotten or becomes another one, beside what this file holds. */
const listeners = new Set<() => void>()

/** Has something done whenever the token changes: what was seen with the old one goes away. */
export function onTokenChange(forgetting: () => void): void {
  listeners.add(forgetting)
}

/** Takes another token, or none: everything that was learned with the old one is forgotten first. */
export function changeToken(next: string): void {
  // At once: nobody sees the new token beside what was learned with the old one.
  batch(() => {
    token.value = next
    identity.value = undefined
    refusal.value = undefined
    for (const forgetting of listeners) forgetting()
  })
}

/** Forgets the token, and everything that was seen with it: the log, the answers, the lists. */
export function forget(): void {
  log.value = []
  changeToken('')
}
