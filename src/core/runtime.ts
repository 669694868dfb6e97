/**
 * `node:crypto`, where the runtime has it (Node, Bun, Deno, workerd with `nodejs_compat`), else `undefined`. Asked for
 * at run time and not imported, so that what can do without it loads everywhere.
 */
export const nodeCrypto: typeof import('node:crypto') | undefined =
  globalThis.process?.getBuiltinModule?.('node:crypto')

/**
 * Whether this is workerd. Its requests are islands: a timer ends with the request that set it, and nothing random is
 * made outside of one.
 */
export const isWorkerd: boolean =
  (globalThis as { readonly navigator?: { readonly userAgent?: string } }).navigator?.userAgent ===
  'Cloudflare-Workers'

/**
 * SHA-256 of a text in UTF-8, as lower-case hex.
 * @returns `undefined` where the runtime has no `node:crypto`
 */
export function sha256(text: string): string | undefined {
  return nodeCrypto?.hash('sha256', text, 'hex')
}
