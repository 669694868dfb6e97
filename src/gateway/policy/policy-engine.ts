import { type Clock, principalOf, systemClock } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { type RateLimiter, rateLimiter } from '../../core/rate-limit.ts'
import { mostSubscriptions } from '../../server/admission.ts'
import { pathText } from '../file/shape.ts'
import type { JsonObject } from '../message.ts'
import type { GatewayPolicy, Judgement, PolicyCaller, ToolLookup } from '../policy.ts'
import { type ArgumentsCompiler, argumentsCompiler } from './policy-arguments.ts'
import { policyProblems } from './policy-check.ts'
import { type Decision, decide, denied, isReadOnly, type Wanted } from './policy-decision.ts'
import type { PolicyDocument } from './policy-document.ts'
import { isFree, subjectOf } from './policy-methods.ts'
import { reviewOf } from './policy-review.ts'
import { type Kind, type Rule, type Rules, rulesOf } from './policy-rules.ts'

/** What a {@link gatewayPolicy} needs beside its document. */
export interface GatewayPolicyOptions {
  /** For the rates. Default: the clock of this machine. */
  readonly clock?: Clock
}

/**
 * Makes a policy of a document. An empty document denies every tool, resource and prompt; what belongs to the protocol
 * itself, such as `initialize`, `ping` and the lists, passes, and lists show what the caller may use. The document is
 * copied; rates count from when the policy is made.
 *
 * Schemas in `arguments` hold for what is there: name in `required` what must be given. Arguments nested deeper than 32,
 * of more than 10,000 values, with a text of more than 8,192 characters where a pattern looks at it, with a number beyond
 * 2^53 - 1, or that take longer than 250 ms to check are refused.
 *
 * @throws TypeError naming the path of each thing that is wrong: a member that does not exist, a pattern that fits
 *   nothing, a schema that is none, whatever has no effect
 *
 * @example
 * ```ts
 * import { gatewayPolicy } from 'mcp-bearer/gateway'
 *
 * const policy = gatewayPolicy({
 *   deny: { tools: ['delete_*'] },
 *   rules: [
 *     { who: { scopes: ['files:read'] }, tools: ['read_file'], resources: ['file:///srv/**'] },
 *     {
 *       who: { keys: ['ci-*'] },
 *       tools: ['write_file'],
 *       arguments: { write_file: { properties: { path: { type: 'string', pattern: '^/srv/ci/' } }, required: ['path'] } },
 *       callsPerMinute: 60,
 *     },
 *   ],
 * })
 * ```
 */
export function gatewayPolicy(document: PolicyDocument, options: GatewayPolicyOptions = {}): GatewayPolicy {
  checkOptions('gatewayPolicy', options, ['clock'])
  const { clock = systemClock } = options
  if (typeof clock !== 'function') throw new TypeError('gatewayPolicy: clock must be a function')
  const compiler = argumentsCompiler()
  const problems = policyProblems(document, ['policy'], compiler)
  if (problems.length > 0)
    throw new TypeError(problems.map(({ path, text }) => `${pathText(path)}: ${text}`).join('\n'))
  return engine(JSON.parse(JSON.stringify(document)) as PolicyDocument, compiler, clock)
}

function engine(document: PolicyDocument, compiler: ArgumentsCompiler, clock: Clock): GatewayPolicy {
  const rules = rulesOf(document, compiler, clock)
  const requests = limiter(document.requestsPerMinute, clock)
  const calls = limiter(document.callsPerMinute, clock)
  return {
    judge(message, caller, toolNamed) {
      if (message.method === undefined) return pass
      const wait = requests?.take(principalOf(caller.token))
      if (wait !== undefined) return { kind: 'rate_limited', retryAfter: wait }
      if (subjectOf(message.method) !== 'tool')
        return judgementOf(decideBeyondTools(rules, message.method, message.params, caller))
      const decided = decideTool(rules, message.params, caller, toolNamed)
      return 'kind' in decided
        ? turned(decided, caller, calls)
        : decided.then((decision) => turned(decision, caller, calls))
    },
    review: reviewOf(rules),
  }
}

const pass: Judgement = Object.freeze({ kind: 'pass' })

function judgementOf(decision: Decision): Judgement {
  return decision.kind === 'pass' ? pass : decision
}

function limiter(perMinute: number | undefined, clock: Clock): RateLimiter | undefined {
  return perMinute === undefined ? undefined : rateLimiter({ perMinute, clock })
}

/**
 * A tool is looked up only where everything else lets the call pass, and it matters whether the tool changes something:
 * whoever is refused anyway keeps no server busy, and is told what else is in the way.
 */
function decideTool(
  rules: Rules,
  params: JsonObject | undefined,
  caller: PolicyCaller,
  toolNamed: ToolLookup,
): Decision | Promise<Decision> {
  const { name, arguments: args } = params ?? {}
  if (typeof name !== 'string') return denied
  const found = rules.find('tools', name)
  const decideAs = (readOnly: boolean) =>
    decide(rules, found, caller, { tool: name, arguments: args, isReadOnly: readOnly })
  const atLeast = decideAs(false)
  const matters = rules.readOnly || found.rules.some((rule) => rule.readOnly)
  if (atLeast.kind === 'pass' || found.isDenied || !matters) return atLeast
  const atBest = decideAs(true)
  if (atBest.kind !== 'pass') return atBest
  return toolNamed(name).then((tool) => (isReadOnly(tool) ? atBest : atLeast))
}

function decideBeyondTools(
  rules: Rules,
  method: string,
  params: JsonObject | undefined = {},
  caller: PolicyCaller,
): Decision {
  switch (subjectOf(method)) {
    case 'prompt':
      return decideReading(rules, 'prompts', params.name, caller)
    case 'resource':
      return decideReading(rules, 'resources', params.uri, caller)
    case 'completion':
      return decideCompletion(rules, params.ref, caller)
    case 'subscriptions':
      return decideSubscriptions(rules, params.notifications, caller)
    default:
      return isFree(method) ? free : decideMethod(rules, method, caller)
  }
}

const free: Decision = Object.freeze({ kind: 'pass', by: Object.freeze([]) })
/** Prompts and resources are read. */
const reading: Wanted = Object.freeze({ isReadOnly: true })

function decideReading(rules: Rules, kind: Kind, name: unknown, caller: PolicyCaller): Decision {
  return typeof name === 'string' ? decide(rules, rules.find(kind, name), caller, reading) : denied
}

/** MCP "Completion": what is completed is an argument of a prompt or a variable of a template. */
function decideCompletion(rules: Rules, ref: unknown, caller: PolicyCaller): Decision {
  const { type, name, uri } = (ref ?? {}) as JsonObject
  if (type === 'ref/prompt') return decideReading(rules, 'prompts', name, caller)
  return type === 'ref/resource' ? decideReading(rules, 'resourceTemplates', uri, caller) : denied
}

/** MCP 2026-07-28 "Subscriptions": news of lists are everybody's, those of a resource are for who may read it. */
function decideSubscriptions(rules: Rules, notifications: unknown, caller: PolicyCaller): Decision {
  const { resourceSubscriptions: uris = [] } = (notifications ?? {}) as JsonObject
  if (!Array.isArray(uris) || uris.length > mostSubscriptions) return denied
  for (const uri of uris) {
    const decision = decideReading(rules, 'resources', uri, caller)
    if (decision.kind !== 'pass') return decision
  }
  return free
}

/** A method nobody here knows: who knows what it changes. */
function decideMethod(rules: Rules, method: string, caller: PolicyCaller): Decision {
  const naming = rules.all.filter((rule) => rule.methods.has(method))
  const found = { isDenied: naming.length === 0, isNamed: true, rules: naming }
  return decide(rules, found, caller, { isReadOnly: false })
}

/** Counts a call that may pass. What it is refused for costs nobody a turn. */
function turned(decision: Decision, caller: PolicyCaller, calls: RateLimiter | undefined): Judgement {
  if (decision.kind !== 'pass') return decision
  if (calls === undefined && !decision.by.some(({ turns }) => turns !== undefined)) return pass
  const principal = principalOf(caller.token)
  const wait = calls?.take(principal) ?? turnOf(decision.by, principal)
  return wait === undefined ? pass : { kind: 'rate_limited', retryAfter: wait }
}

/** A turn of the first rule that has one left. */
function turnOf(by: readonly Rule[], principal: string): number | undefined {
  let shortest: number | undefined
  for (const { turns } of by) {
    const wait = turns?.take(principal)
    if (wait === undefined) return undefined
    shortest = Math.min(wait, shortest ?? wait)
  }
  return shortest
}
