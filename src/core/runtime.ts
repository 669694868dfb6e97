/**
 * `node:crypto`, where the runtime has it (Node, Bun, Deno, workerd with `nodejs_compat`), else `undefined`. Asked for
 * at run time and not imported, so that what can do without it loads everywhere.
 */
export const nodeCrypto: typeof import('node:crypto') | undefined =
  globalThis.process?.getBuiltinModule?.('node:crypto')

/**
 * SHA-256 of a text in UTF-8, as lower-case hex.
 * @returns `undefined` where the runtime has no `node:crypto`
 */
export function sha256(text: string): string | undefined {
  return nodeCrypto?.hash('sha256', text, 'hex')
}
