import type { KeyStore } from '../apikeys/key-store.ts'
import type { ContractCase } from './contract-case.ts'
import type { FakeClock } from './fake-clock.ts'
import { auditCases } from './key-store/audit.ts'
import { changeCases } from './key-store/changes.ts'
import { commitCases } from './key-store/commits.ts'
import { concurrencyCases } from './key-store/concurrency.ts'
import { counterCases } from './key-store/counters.ts'
import { dayCases } from './key-store/days.ts'
import { listCases } from './key-store/lists.ts'
import { pruneCases } from './key-store/pruning.ts'
import { recordCases } from './key-store/records.ts'
import { revocationCases } from './key-store/revocations.ts'
import { useCases } from './key-store/uses.ts'
import { wholeCases } from './key-store/whole.ts'

/** A key store with what a test needs. */
export interface KeyStoreUnderTest {
  /** New, on an empty database. */
  readonly store: KeyStore
  /** A second store on the same database, as another process has it. Default: the store itself. */
  readonly other?: KeyStore | undefined
  /** What both take for the time of the database, where that can be set. Default: the cases do with the time there is. */
  readonly clock?: FakeClock | undefined
  /** Removes what `make` has made. Stores may be closed already. */
  close?(): void | Promise<void>
}

/**
 * What every `KeyStore` keeps to, as cases for any test runner: what was committed is there, all of it or nothing; of
 * changes at the same time none is lost and one wins; no count is ever passed; nobody misses a change; events form a chain
 * without a gap; and what cannot be told is never answered as if there were no key.
 *
 * @param make makes a new store on an empty database for each case
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { memoryKeyStore } from 'mcp-bearer/keys'
 * import { fakeClock, keyStoreContract } from 'mcp-bearer/testing'
 *
 * const make = () => {
 *   const clock = fakeClock()
 *   return { store: memoryKeyStore({ clock }), clock }
 * }
 * for (const { name, run } of keyStoreContract(make)) test(name, run)
 * ```
 */
export function keyStoreContract(
  make: () => KeyStoreUnderTest | Promise<KeyStoreUnderTest>,
): readonly ContractCase[] {
  const cases = {
    ...recordCases,
    ...listCases,
    ...commitCases,
    ...concurrencyCases,
    ...useCases,
    ...dayCases,
    ...counterCases,
    ...changeCases,
    ...auditCases,
    ...revocationCases,
    ...pruneCases,
    ...wholeCases,
  }
  return Object.entries(cases).map(([name, check]) => ({
    name,
    async run() {
      const made = await make()
      try {
        await check({ ...made, other: made.other ?? made.store })
      } finally {
        await made.close?.()
      }
    },
  }))
}
