import fc from 'fast-check'
import { type Draft, goodDraft, type Mutation } from './draft.ts'
import { claimChanges, headerChanges } from './mutations-of-members.ts'
import { byteChanges, partChanges, textChanges, tokenChanges } from './mutations-of-text.ts'

/** All changes there are, by name. */
const mutations: Readonly<Record<string, Mutation>> = {
  ...claimChanges,
  ...headerChanges,
  ...textChanges,
  ...byteChanges,
  ...partChanges,
  ...tokenChanges,
}

/** How a token is made: what is shown when a property fails, and all that is needed to make one like it again. */
export interface Recipe {
  readonly changes: readonly (readonly [name: string, one: number, two: number])[]
  /** 0 is the right signature; others choose a wrong one. */
  readonly signature: number
  /** Which of the verifiers is asked. */
  readonly verifier: number
}

const number = fc.nat(0xffff)
const name = fc.oneof(
  { arbitrary: fc.constantFrom(...Object.keys(claimChanges)), weight: 3 },
  { arbitrary: fc.constantFrom(...Object.keys(mutations)), weight: 2 },
)

/** Recipes of tokens with one to three changes; of the claims more often than of anything else. */
export const recipe: fc.Arbitrary<Recipe> = fc.record({
  changes: fc.array(fc.tuple(name, number, number), { minLength: 1, maxLength: 3 }),
  signature: fc.oneof({ arbitrary: fc.constant(0), weight: 11 }, { arbitrary: number, weight: 1 }),
  verifier: number,
})

/** The draft of the token of a recipe. */
export function draftOf({ changes }: Recipe, algorithm: string): Draft {
  const draft = goodDraft(algorithm)
  for (const [change, one, two] of changes) mutations[change]?.(draft, one, two)
  return draft
}
