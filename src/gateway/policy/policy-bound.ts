import type { AccessToken } from '../../core/index.ts'
import type { RpcMessage } from '../message.ts'
import type { GatewayPolicy, Judgement } from '../policy.ts'
import { isFree, subjectOf } from './policy-methods.ts'
import { type Review, reviewThrough, type Sight, showsThings } from './policy-review.ts'

/**
 * Holds tokens that are bound to tools, as API keys can be, to them: they call these tools and see these alone, and
 * nothing of resources, prompts, completion or what else there is; the answer is the same whether it exists or not.
 * Everything they may, and all that other tokens do, the inner policy decides about.
 *
 * @param inner what else decides. Default: everything else passes
 *
 * @example
 * ```ts
 * import { boundPolicy, gatewayPolicy } from 'mcp-bearer/gateway'
 *
 * const policy = boundPolicy(gatewayPolicy({ rules: [{ tools: ['search', 'read_*'] }] }))
 * ```
 */
export function boundPolicy(inner?: GatewayPolicy): GatewayPolicy {
  return {
    judge(message, caller, toolNamed) {
      const { tools } = caller.token
      if (tools !== undefined && !isWithin(message, tools)) return beyond
      return inner === undefined ? pass : inner.judge(message, caller, toolNamed)
    },
    review(message, caller) {
      const { tools } = caller.token
      const others = inner?.review(message, caller)
      if (tools === undefined || !showsThings(message)) return others
      return both(reviewThrough(sightOf(tools)), others)
    },
  }
}

const pass: Judgement = Object.freeze({ kind: 'pass' })
const beyond: Judgement = Object.freeze({ kind: 'access_denied' })

type Tools = NonNullable<AccessToken['tools']>

function isWithin({ method, params = {} }: RpcMessage, tools: Tools): boolean {
  if (method === undefined) return true
  switch (subjectOf(method)) {
    case 'tool':
      return typeof params.name === 'string' && tools.includes(params.name)
    case 'subscriptions':
      return subscribesToNothing(params.notifications)
    case undefined:
      return isFree(method)
    default:
      return false
  }
}

/** News of lists tell nothing of what is in them. */
function subscribesToNothing(notifications: unknown): boolean {
  const { resourceSubscriptions: uris = [] } = (notifications ?? {}) as { resourceSubscriptions?: unknown }
  return Array.isArray(uris) && uris.length === 0
}

function sightOf(tools: Tools): Sight {
  const nothing = () => false
  return {
    tools: ({ name }) => typeof name === 'string' && tools.includes(name),
    prompts: nothing,
    resources: nothing,
    resourceTemplates: nothing,
    hears: nothing,
  }
}

function both(first: Review, second: Review | undefined): Review {
  if (second === undefined) return first
  return (answer) => {
    const left = first(answer)
    return left === undefined ? undefined : second(left)
  }
}
