import { isPlain } from '../file/shape.ts'
import type { JsonObject, RpcMessage } from '../message.ts'
import type { GatewayPolicy, PolicyCaller } from '../policy.ts'
import { decide, isReadOnly, type Wanted } from './policy-decision.ts'
import type { Kind, Rules } from './policy-rules.ts'

/** What looks at a message that goes back. */
export type Review = (answer: RpcMessage) => RpcMessage | undefined

/** What a caller may know of, by the members of the lists it stands in. */
export interface Sight {
  tools(line: JsonObject): boolean
  prompts(line: JsonObject): boolean
  resources(line: JsonObject): boolean
  resourceTemplates(line: JsonObject): boolean
  /** Whether the caller may hear that this has changed. */
  hears(uri: unknown): boolean
}

const listed = ['tools', 'prompts', 'resources', 'resourceTemplates'] as const

const lists: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
])

/**
 * Whether the answers to a request show what not everybody may see. A stream that answers no request may bring answers
 * to any (MCP 2025-11-25 "Resumability and Redelivery").
 */
export function showsThings(message: RpcMessage | undefined): boolean {
  if (message === undefined) return true
  const { method = '', params = {} } = message
  if (method !== 'subscriptions/listen') return lists.has(method)
  return isPlain(params.notifications) && 'resourceSubscriptions' in params.notifications
}

/** Takes out of lists, and of news about resources, what the caller may not see. */
export function reviewThrough(sight: Sight): Review {
  return (answer) => {
    if (answer.method === 'notifications/resources/updated')
      return sight.hears(answer.params?.uri) ? answer : undefined
    const { result } = answer
    if (answer.method !== undefined || !isPlain(result)) return answer
    const members = listed.filter((name) => Object.hasOwn(result, name))
    if (members.length === 0) return answer
    const seen = members.map((name) => [name, linesOf(result[name]).filter((line) => sight[name](line))])
    return { ...answer, result: { ...result, ...Object.fromEntries(seen) } }
  }
}

/** What is no line is shown to nobody. */
function linesOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isPlain) : []
}

/** The review of a policy. */
export function reviewOf(rules: Rules): GatewayPolicy['review'] {
  return (message, caller) => (showsThings(message) ? reviewThrough(sightOf(rules, caller)) : undefined)
}

function sightOf(rules: Rules, caller: PolicyCaller): Sight {
  const isSeen = (kind: Kind, name: unknown, wanted: Wanted = { isReadOnly: true }) =>
    typeof name === 'string' && decide(rules, rules.find(kind, name), caller, wanted).kind === 'pass'
  return {
    tools: (line) => isSeen('tools', line.name, { isReadOnly: isReadOnly(line) }),
    prompts: ({ name }) => isSeen('prompts', name),
    resources: ({ uri }) => isSeen('resources', uri),
    resourceTemplates: ({ uriTemplate }) => isSeen('resourceTemplates', uriTemplate),
    hears: (uri) => isSeen('resources', uri),
  }
}
