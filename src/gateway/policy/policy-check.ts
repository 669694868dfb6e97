import type { DocumentPath, DocumentProblem } from '../file/shape.ts'
import { globsMeet } from './glob.ts'
import { type ArgumentsCompiler, argumentsCompiler } from './policy-arguments.ts'
import type { PolicyDocument, PolicyRule, PolicyThings } from './policy-document.ts'
import { isOwnMethod } from './policy-methods.ts'
import { policyShape } from './policy-schema.ts'
import { uriPatternProblem } from './policy-uri.ts'

/**
 * Everything that is wrong with a policy. What has no effect is wrong as well: somebody believes that it has one.
 */
export function policyProblems(
  document: unknown,
  path: DocumentPath,
  compiler: ArgumentsCompiler = argumentsCompiler(),
): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = []
  policyShape.check(document, path, problems)
  if (problems.length > 0) return problems
  const { deny = {}, rules = [] } = document as PolicyDocument
  return [
    ...thingsProblems(deny, [...path, 'deny']),
    ...rules.flatMap((rule, at) => ruleProblems(rule, [...path, 'rules', at], compiler)),
  ]
}

const longestGlob = 1024

function thingsProblems(
  { tools = [], prompts = [], resources = [] }: PolicyThings,
  path: DocumentPath,
): readonly DocumentProblem[] {
  const uris = resources.flatMap((glob, at) => {
    const text = uriPatternProblem(glob)
    return text === undefined ? [] : [{ path: [...path, 'resources', at], text }]
  })
  const tooLong = Object.entries({ tools, prompts, resources }).flatMap(([kind, globs]) =>
    globs.flatMap((glob, at) =>
      glob.length > longestGlob ? [{ path: [...path, kind, at], text: 'is too long for a pattern' }] : [],
    ),
  )
  return [...tooLong, ...uris]
}

function ruleProblems(
  rule: PolicyRule,
  path: DocumentPath,
  compiler: ArgumentsCompiler,
): readonly DocumentProblem[] {
  const { tools, resources, prompts, methods = [], arguments: schemas = {} } = rule
  const isIdle = !(tools ?? resources ?? prompts ?? rule.methods)
  const idle = isIdle ? [{ path, text: 'allows nothing: name tools, resources, prompts or methods' }] : []
  const ofTools = (['arguments', 'readOnly', 'callsPerMinute'] as const).filter((name) => name in rule)
  const toolless = tools || isIdle ? [] : ofTools
  const readOnlyMethods =
    rule.readOnly && rule.methods ? [{ path: [...path, 'methods'], text: idleMethods }] : []
  return [
    ...idle,
    ...readOnlyMethods,
    ...toolless.map((name) => ({ path: [...path, name], text: 'has no effect: the rule names no tools' })),
    ...methods.flatMap((method, at) =>
      isOwnMethod(method) ? [{ path: [...path, 'methods', at], text: ownMethod }] : [],
    ),
    ...thingsProblems(rule, path),
    ...Object.entries(schemas).flatMap(([pattern, schema]) => {
      const place = [...path, 'arguments', pattern]
      const isIdlePattern = tools !== undefined && !tools.some((glob) => globsMeet(glob, pattern))
      if (isIdlePattern) return [{ path: place, text: 'fits no tool that the rule names' }]
      const compiled = compiler.compile(schema)
      return typeof compiled === 'string' ? [{ path: place, text: compiled }] : []
    }),
  ]
}

const ownMethod =
  'is a method of the protocol: it passes anyway, or is decided by tools, resources and prompts'
const idleMethods = 'has no effect: the rule is readOnly, and nobody knows what these methods change'
