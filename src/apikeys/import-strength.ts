/** Characters of a key. */
const shortest = 20

/** Different ones among them. Twenty random hex digits have fewer once in some ten thousand times, longer keys hardly ever. */
const fewestDifferent = 7

/** Bits a random text of these characters and this length would have. */
const fewestBits = 80

/**
 * Refuses a key that cannot be random, because it is too short or too simple: a digest without salt protects what
 * nobody can guess, and nothing else. It cannot tell a long sentence from a random text; only keys that were made by a
 * random generator are safe to take over.
 *
 * @throws TypeError that does not show the key
 */
export function checkStrength(option: string, key: string): void {
  const weakness = weaknessOf(key)
  if (weakness !== undefined) throw new TypeError(`${option} ${weakness}: it can be guessed; see allowWeak`)
}

function weaknessOf(key: string): string | undefined {
  if (key.length < shortest) return `is shorter than ${shortest} characters`
  if (new Set(key).size < fewestDifferent) return 'has hardly any different characters'
  const surprises = surprisesOf(key)
  if (surprises < shortest * 0.6) return 'repeats itself, or counts up or down'
  if (surprises * Math.log2(alphabetOf(key)) < fewestBits * 0.6 || bitsOf(key) < fewestBits) {
    return 'is made of too few kinds of characters for its length'
  }
  return undefined
}

function bitsOf(key: string): number {
  return key.length * Math.log2(alphabetOf(key))
}

/** The smallest usual alphabet all characters are from; what is beside letters and digits adds nothing. */
function alphabetOf(key: string): number {
  if (/^[\d\W_]+$/.test(key)) return 10
  if (/^(?:[\da-f\W_]+|[\dA-F\W_]+)$/.test(key)) return 16
  const kinds = [/\d/, /[a-z]/, /[A-Z]/].filter((kind) => kind.test(key)).length
  return kinds === 3 ? 62 : kinds === 2 ? 36 : 26
}

/**
 * Characters that neither go on as those before them did (`aaaa`, `abcd`, `9876`), nor begin a piece of three that was
 * there before (`abc1abc1`).
 */
function surprisesOf(key: string): number {
  const seen = new Set<string>()
  let surprises = 0
  for (let at = 0; at < key.length; at += 1) {
    const piece = key.slice(Math.max(0, at - 2), at + 1)
    const isKnown = piece.length === 3 && seen.has(piece)
    if (piece.length === 3) seen.add(piece)
    if (!isKnown && !goesOn(key, at)) surprises += 1
  }
  return surprises
}

function goesOn(key: string, at: number): boolean {
  if (at < 2) return false
  const [first, second, third] = [at - 2, at - 1, at].map((place) => key.charCodeAt(place)) as [
    number,
    number,
    number,
  ]
  const step = second - first
  return Math.abs(step) <= 1 && third - second === step
}
