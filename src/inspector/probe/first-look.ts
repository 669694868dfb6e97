import type { Check } from './check.ts'
import { noToken } from './checks/no-token.ts'
import { reach } from './checks/reach.ts'

export { runProbe } from './run-probe.ts'

/**
 * What a page looks at by itself: whether the server asks for a token. A page loads this when it is there, and the other
 * checks when somebody wants them.
 */
export const firstChecks: readonly Check[] = Object.freeze([reach, noToken])
