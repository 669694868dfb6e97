import type { JsonObject } from '../message.ts'
import type { Judgement, PolicyCaller } from '../policy.ts'
import type { Found, Rule, Rules } from './policy-rules.ts'

/** What comes of the rules about one thing: who let it pass, or why nobody did. */
export type Decision =
  | { readonly kind: 'pass'; readonly by: readonly Rule[] }
  | Exclude<Judgement, { readonly kind: 'pass' | 'rate_limited' }>

/** What is asked of a thing beside its name. */
export interface Wanted {
  /** The tool that is called; `undefined` when it is only a question of seeing it, and for everything else. */
  readonly tool?: string
  readonly arguments?: unknown
  /** Whether it changes nothing. */
  readonly isReadOnly: boolean
}

export const denied: Decision = Object.freeze({ kind: 'access_denied' })
const passed: Decision = Object.freeze({ kind: 'pass', by: Object.freeze([]) })

/**
 * Decides about one thing. Of what the rules object to, that is told which the caller can do something about: other
 * arguments first, then more scopes, where a rule objects to nothing else.
 */
export function decide(rules: Rules, found: Found, caller: PolicyCaller, wanted: Wanted): Decision {
  if (found.isDenied || (rules.readOnly && !wanted.isReadOnly)) return denied
  if (!found.isNamed) return rules.isOpen ? passed : denied
  const by: Rule[] = []
  let problem: string | undefined
  let lacking: readonly string[] | undefined
  for (const rule of found.rules) {
    const fit = rule.readOnly && !wanted.isReadOnly ? 'other' : rule.who(caller)
    if (fit === 'other') continue
    const objection = objectionOf(rule, wanted)
    if (objection === undefined && fit === 'fits') by.push(rule)
    else if (objection === undefined) lacking ??= rule.scopes
    else if (fit === 'fits') problem ??= objection
  }
  if (by.length > 0) return { kind: 'pass', by }
  if (problem !== undefined) return { kind: 'arguments', problem }
  return lacking === undefined ? denied : { kind: 'insufficient_scope', scopes: lacking }
}

function objectionOf(rule: Rule, { tool, arguments: args }: Wanted): string | undefined {
  return tool === undefined ? undefined : rule.checkOf(tool)?.(args)
}

/** Whether a tool says that it changes nothing (MCP "Tool annotations"). Nothing said is no. */
export function isReadOnly(tool: JsonObject | undefined): boolean {
  const annotations = tool?.annotations
  return (
    typeof annotations === 'object' &&
    annotations !== null &&
    Object.hasOwn(annotations, 'readOnlyHint') &&
    (annotations as JsonObject).readOnlyHint === true
  )
}
