import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../../core/index.ts'
import { watchFile } from '../../gateway/file/file-watch.ts'
import type { GatewayFile } from '../../gateway/file/gateway-document.ts'
import { readGatewayFile } from '../../gateway/file/gateway-file.ts'
import { gatewayPolicy } from '../../gateway/policy/policy-engine.ts'
import type { GatewayPolicy } from '../../gateway/policy.ts'
import type { Flags } from './flags.ts'
import { policyDocument, policyText } from './policy.ts'

/** Keeps the policy of a running gateway as the file says. */
export interface Reloading extends Disposable {
  /** Reads the file now. Never rejects. */
  reload(): Promise<void>
}

/** What is reloaded, and into what. */
export interface ReloadOptions {
  readonly path: string
  /** As it was read at the start. */
  readonly file: GatewayFile
  readonly values: Flags['values']
  readonly usePolicy: (policy: GatewayPolicy | undefined) => void
  readonly logger: Logger
}

const noPolicy =
  'the file has none any more, and without one every good token may do everything; that takes a restart, or policy: { default: allow }'

/** Watches the file. One that cannot be read leaves everything as it is, and says why. */
export function reloading({ path, file, values, usePolicy, logger }: ReloadOptions): Reloading {
  let last = file
  let running: Promise<void> | undefined
  let isAgain = false

  async function readNow(): Promise<void> {
    try {
      const next = await readGatewayFile(path)
      // Half a file, or a slip of an indentation: without a policy everybody may do everything.
      if (last.policy && !next.policy) throw new Error(noPolicy)
      const document = policyDocument(next.policy, values)
      if (!isDeepStrictEqual(document, policyDocument(last.policy, values))) {
        usePolicy(document && gatewayPolicy(document))
        logger({
          level: 'info',
          event: 'policy_reloaded',
          message: `the policy is new: ${policyText(document)}`,
        })
      }
      tellOthers(next)
      last = next
    } catch (error) {
      const why = (error as Error).message
      logger({ level: 'error', event: 'reload_failed', message: `the policy stays as it was: ${why}` })
    }
  }

  function tellOthers(next: GatewayFile): void {
    const names = [...new Set([...Object.keys(last), ...Object.keys(next)])] as (keyof GatewayFile)[]
    const changed = names.filter(
      (name) => name !== 'policy' && name !== '$schema' && !isDeepStrictEqual(last[name], next[name]),
    )
    if (changed.length === 0) return
    const message = `${changed.join(', ')} changed in ${path}: takes effect after a restart`
    logger({ level: 'warn', event: 'restart_needed', message })
  }

  /** One after another; what changes meanwhile is read once more. */
  async function reload(): Promise<void> {
    if (running) isAgain = true
    running ??= readNow().finally(() => {
      running = undefined
    })
    await running
    if (!isAgain) return
    isAgain = false
    await reload()
  }

  const stop = watchFile(path, () => void reload())
  // It may have changed between the start and now.
  void reload()
  return { reload, [Symbol.dispose]: stop }
}
