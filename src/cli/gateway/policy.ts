import type { PolicyDocument } from '../../gateway/policy/policy-document.ts'
import { UsageError } from '../command.ts'
import type { Flags } from './flags.ts'

/**
 * The policy of the file with what the command line adds to it.
 * @returns `undefined` when there is none: every good token may do everything
 * @throws UsageError when both say what is allowed
 */
export function policyDocument(
  file: PolicyDocument | undefined,
  values: Flags['values'],
): PolicyDocument | undefined {
  const { 'read-only': readOnly, 'allow-tool': allowed, 'deny-tool': denied } = values
  if (readOnly === undefined && allowed === undefined && denied === undefined) return file
  if (file !== undefined && allowed !== undefined) {
    throw new UsageError(
      '--allow-tool and the policy of the file both say what is allowed; write it in the file',
    )
  }
  const base: PolicyDocument =
    file ??
    (allowed === undefined ? { default: 'allow' } : { rules: [{ name: '--allow-tool', tools: allowed }] })
  return {
    ...base,
    ...(readOnly && { readOnly }),
    ...(denied && { deny: { ...base.deny, tools: [...(base.deny?.tools ?? []), ...denied] } }),
  }
}

/** The policy in a few words. */
export function policyText(policy: PolicyDocument | undefined): string {
  if (policy === undefined) return 'every good token may do everything'
  const { rules = [], deny, readOnly = false } = policy
  const things = Object.values(deny ?? {}).reduce((sum, globs: readonly string[]) => sum + globs.length, 0)
  return [
    rules.length === 0 ? undefined : rules.length === 1 ? 'one rule' : `${rules.length} rules`,
    `${rules.length === 0 ? 'everything' : 'what no rule names'} is ${policy.default === 'allow' ? 'allowed' : 'denied'}`,
    things === 0 ? undefined : `${things} denied for all`,
    readOnly ? 'read-only' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ')
}
