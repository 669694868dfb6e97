import { isWorkerd, nodeCrypto } from '../core/runtime.ts'
import type { SignatureBackend } from './signature-backend.ts'
import { jwkReader, nodeBackend } from './signature-node.ts'
import { webBackend } from './signature-web.ts'

/**
 * The one place that decides who checks signatures: `node:crypto` where it exists, which is synchronous and several
 * times faster, else Web Crypto. On workerd `node:crypto` reads keys and Web Crypto checks: its one-shot `verify` takes
 * no prepared key, and does not look at the padding it is told to use.
 */
export const signatures: SignatureBackend =
  nodeCrypto === undefined || isWorkerd
    ? webBackend(globalThis.crypto.subtle, nodeCrypto && jwkReader(nodeCrypto))
    : nodeBackend(nodeCrypto)
