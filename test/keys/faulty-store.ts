import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { AuthError } from '../../src/core/index.ts'

type Method = Exclude<
  {
    [Name in keyof KeyStore]: KeyStore[Name] extends (...given: never[]) => unknown ? Name : never
  }[keyof KeyStore],
  undefined | 'time' | 'onChange' | 'close'
>

const asked = [
  'find',
  'list',
  'commit',
  'recordUses',
  'takeUses',
  'appendAudit',
  'readAudit',
  'changes',
  'revocations',
  'pour',
  'prune',
] as const satisfies readonly Method[]

type Asked = (typeof asked)[number]

/** A store whose database can be gone, or slow, as a test says; and which counts what it is asked. */
export function faultyStore(store: KeyStore) {
  const calls = new Map<Asked, number>()
  const gates = new Map<Asked, Promise<void>>()
  const gone = new Set<Asked>()
  const wrapped: Record<string, unknown> = { ...store }
  for (const name of asked) {
    wrapped[name] = async (...given: unknown[]) => {
      calls.set(name, (calls.get(name) ?? 0) + 1)
      await gates.get(name)
      if (gone.has(name)) throw new AuthError('verifier_unavailable')
      return Reflect.apply(store[name], store, given)
    }
  }
  return {
    store: wrapped as unknown as KeyStore,
    calls: (name: Asked) => calls.get(name) ?? 0,
    /** What is asked from now on fails. Default: all of it. */
    down(...names: readonly Asked[]) {
      for (const name of names.length === 0 ? asked : names) gone.add(name)
    },
    up: () => gone.clear(),
    /** What is asked waits, until the function it returns is called. */
    hold(name: Asked): () => void {
      let open = () => {}
      gates.set(name, new Promise((resolve) => (open = resolve)))
      return () => {
        gates.delete(name)
        open()
      }
    },
  }
}
