import { policyProblems } from '../policy/policy-check.ts'
import type { GatewayFile } from './gateway-document.ts'
import { gatewayFileShape } from './gateway-schema.ts'
import type { DocumentProblem } from './shape.ts'

/** Everything that is wrong with what stands in a gateway file. */
export function gatewayProblems(value: unknown): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = []
  gatewayFileShape.check(value, [], problems)
  if (problems.length > 0) return problems
  const file = value as GatewayFile
  return [...contradictions(file), ...(file.policy ? policyProblems(file.policy, ['policy']) : [])]
}

const ofPrograms = ['cwd', 'env', 'processes'] as const

function contradictions(file: GatewayFile): readonly DocumentProblem[] {
  const { url, command, upstream, identity } = file
  const idle = (name: string, why: string) => ({ path: [name], text: `has no effect: ${why}` })
  const problems: DocumentProblem[] = []
  if (url !== undefined && command !== undefined)
    problems.push({ path: ['url'], text: 'there is a command as well; a gateway is in front of one server' })
  else if (url !== undefined)
    problems.push(
      ...ofPrograms
        .filter((name) => name in file)
        .map((name) => idle(name, 'it is for a command, not a url')),
    )
  else if (command !== undefined && upstream !== undefined)
    problems.push(idle('upstream', 'it is for a url; a command gets what it needs by env'))
  if (upstream?.auth !== undefined && upstream.exchange !== undefined)
    problems.push({ path: ['upstream', 'auth'], text: 'there is an exchange as well; give one of them' })
  if (identity?.mode === 'env') problems.push(...idleIdentity(identity))
  if (identity?.mode === 'env' && url !== undefined)
    problems.push({ path: ['identity', 'mode'], text: 'must be "jwt" for a url, which has no environment' })
  return problems
}

function idleIdentity(identity: NonNullable<GatewayFile['identity']>): readonly DocumentProblem[] {
  return (['keyFile', 'issuer', 'audience', 'header'] as const)
    .filter((name) => name in identity)
    .map((name) => ({ path: ['identity', name], text: 'has no effect: it is for the mode "jwt"' }))
}
