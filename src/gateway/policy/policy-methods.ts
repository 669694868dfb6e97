/** What a method of the protocol is about, where not everybody may have it. */
export type Subject = 'tool' | 'prompt' | 'resource' | 'completion' | 'subscriptions'

const subjects: ReadonlyMap<string, Subject> = new Map<string, Subject>([
  ['tools/call', 'tool'],
  ['prompts/get', 'prompt'],
  ['resources/read', 'resource'],
  ['resources/subscribe', 'resource'],
  ['resources/unsubscribe', 'resource'],
  ['completion/complete', 'completion'],
  ['subscriptions/listen', 'subscriptions'],
])

/** What concerns nothing but the connection, or gives lists that are looked through on their way back. */
const free: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'ping',
  'logging/setLevel',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  // Of a task the caller knows the id, which is its key. Not tasks/list: a server that knows one client, the gateway,
  // gives it everybody's (MCP 2025-11-25 "Tasks", "Security Considerations").
  'tasks/get',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  // Notifications of clients, of all revisions. A server may have others, and begin anything with one.
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
])

/** What a message of this method is about; `undefined` when that is nothing a policy knows by name. */
export function subjectOf(method: string): Subject | undefined {
  return subjects.get(method)
}

/** Whether everybody may send it. */
export function isFree(method: string): boolean {
  return free.has(method)
}

/** Whether a policy decides about it without its being named. */
export function isOwnMethod(method: string): boolean {
  return subjects.has(method) || isFree(method)
}
