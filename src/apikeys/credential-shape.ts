import { redact } from '../core/redact.ts'

/** Between texts that have nothing to do with each other: no credential goes across it. */
const between = '\n,\n'

/** Whether one of the texts holds what looks like a credential. All are looked at together, which costs as much as one. */
export function holdsCredential(texts: readonly string[]): boolean {
  const all = texts.join(between)
  return all.length >= shortest && redact(all) !== all
}

/** The same, word by word: "Basic plan" is a name, though it could be a scheme and what follows it. */
export function wordsHoldCredential(texts: readonly string[]): boolean {
  return holdsCredential([texts.join(' ').replace(/\s+/g, between)])
}

/** What `redact` takes out is never shorter. */
const shortest = 6
