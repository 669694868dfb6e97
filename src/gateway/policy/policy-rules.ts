import type { Clock } from '../../core/index.ts'
import { type RateLimiter, rateLimiter } from '../../core/rate-limit.ts'
import type { PolicyCaller } from '../policy.ts'
import { nameGlob } from './glob.ts'
import type { ArgumentsCheck, ArgumentsCompiler } from './policy-arguments.ts'
import type { PolicyDocument, PolicyRule, PolicyThings } from './policy-document.ts'
import { type SpelledGlob, spelledGlob, uriSpellings } from './policy-uri.ts'
import { anyGlob, type Fit, longestName, whoOf } from './policy-who.ts'

/** A rule, ready to be asked. */
export interface Rule {
  readonly who: (caller: PolicyCaller) => Fit
  readonly scopes: readonly string[]
  readonly readOnly: boolean
  readonly methods: ReadonlySet<string>
  readonly turns: RateLimiter | undefined
  /** What is wrong with the arguments of a tool; `undefined` when they need no look. */
  checkOf(tool: string): ArgumentsCheck | undefined
}

/** The rules about one thing. */
export interface Found {
  readonly isDenied: boolean
  /** Whether some rule is about it. Of a URI in any spelling, while a rule allows only the one it is about. */
  readonly isNamed: boolean
  /** Those that may allow it. */
  readonly rules: readonly Rule[]
}

/** What a policy knows by name. The text of a template stands for itself. */
export type Kind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates'

/** A policy, ready to be asked. */
export interface Rules {
  readonly all: readonly Rule[]
  readonly readOnly: boolean
  /** What nobody names is everybody's. */
  readonly isOpen: boolean
  find(kind: Kind, name: string): Found
}

/** Compiles a document that was checked. */
export function rulesOf(document: PolicyDocument, compiler: ArgumentsCompiler, clock: Clock): Rules {
  const { default: unnamed = 'deny', readOnly = false, deny = {}, rules = [] } = document
  const all = rules.map((rule) => ({ rule: ruleOf(rule, compiler, clock), ...thingsOf(rule) }))
  const denied = thingsOf(deny)
  const isOpen = unnamed === 'allow'
  const finder = (kind: 'tools' | 'prompts') =>
    remembering((name) => {
      if (name.length > longestName || odd.test(name)) return unspeakable
      const found = all.filter((one) => one[kind](name)).map(({ rule }) => rule)
      return { isDenied: denied[kind](name), isNamed: found.length > 0, rules: found }
    })
  const uriFinder = (isTemplate: boolean) =>
    remembering((uri) => {
      const spelled = uriSpellings(uri, isTemplate)
      if (spelled === undefined) return unspeakable
      const found = all.filter(({ resources }) => resources.some((glob) => glob.allows(spelled)))
      return {
        isDenied: denied.resources.some((glob) => glob.denies(spelled)),
        isNamed:
          found.length > 0 ||
          (isOpen && all.some(({ resources }) => resources.some((glob) => glob.denies(spelled)))),
        rules: found.map(({ rule }) => rule),
      }
    })
  const finders = {
    tools: finder('tools'),
    prompts: finder('prompts'),
    resources: uriFinder(false),
    resourceTemplates: uriFinder(true),
  }
  return {
    all: all.map(({ rule }) => rule),
    readOnly,
    isOpen,
    find: (kind, name) => finders[kind](name),
  }
}

/** What no tool or prompt is called (MCP "Tool Names"): some servers cut it off, or trim it, and have another name then. */
const odd = /\p{Cc}|^\s|\s$/u

/** What has no one spelling is nobody's. */
const unspeakable: Found = { isDenied: true, isNamed: true, rules: [] }

function ruleOf(rule: PolicyRule, compiler: ArgumentsCompiler, clock: Clock): Rule {
  const { who = {}, methods = [], readOnly = false, callsPerMinute } = rule
  return {
    who: whoOf(who),
    scopes: who.scopes ?? [],
    readOnly,
    methods: new Set(methods),
    turns: callsPerMinute === undefined ? undefined : rateLimiter({ perMinute: callsPerMinute, clock }),
    checkOf: checksOf(rule.arguments ?? {}, compiler),
  }
}

function checksOf(
  schemas: NonNullable<PolicyRule['arguments']>,
  compiler: ArgumentsCompiler,
): (tool: string) => ArgumentsCheck | undefined {
  const checks = Object.entries(schemas).map(([pattern, schema]) => {
    const check = compiler.compile(schema)
    if (typeof check === 'string') throw new TypeError(`policy: a schema of arguments ${check}`)
    return { fits: nameGlob(pattern), check }
  })
  if (checks.length === 0) return () => undefined
  return (tool) => {
    const holding = checks.filter(({ fits }) => fits(tool))
    if (holding.length === 0) return undefined
    return (args) => firstOf(holding, args)
  }
}

function firstOf(checks: readonly { readonly check: ArgumentsCheck }[], args: unknown): string | undefined {
  for (const { check } of checks) {
    const problem = check(args)
    if (problem !== undefined) return problem
  }
  return undefined
}

interface Things {
  readonly tools: (name: string) => boolean
  readonly prompts: (name: string) => boolean
  readonly resources: readonly SpelledGlob[]
}

function thingsOf({ tools = [], prompts = [], resources = [] }: PolicyThings): Things {
  return { tools: anyGlob(tools), prompts: anyGlob(prompts), resources: resources.map(spelledGlob) }
}

/** Names that are remembered. Callers invent names, so there is an end to it. */
const mostNames = 2000

/** Remembers which rules name a thing: of two hundred rules few do. */
function remembering(find: (name: string) => Found): (name: string) => Found {
  const known = new Map<string, Found>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const made = find(name)
    if (known.size >= mostNames) known.clear()
    if (name.length <= 256) known.set(name, made)
    return made
  }
}
