/** Draws numbers below the one it is given: always the same ones for one seed. */
export type Dice = (sides: number) => number

/** Makes {@link Dice}: a linear congruential generator, good enough to choose between spellings. */
export function dice(seed: number): Dice {
  let state = seed >>> 0
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

/** Writes a value as JSON in one of the many ways that RFC 8259 allows, and nearly nobody uses. */
export function spell(value: unknown, roll: Dice): string {
  const blank = () => ['', '', '', '', ' ', '\n', '\t', '\r\n', '    '][roll(9)] ?? ''
  const around = (text: string) => blank() + text + blank()
  if (typeof value === 'string') return around(spellText(value, roll))
  if (typeof value === 'number') return around(spellNumber(value, roll))
  if (Array.isArray(value)) return around(`[${value.map((item) => spell(item, roll)).join(',') || blank()}]`)
  if (typeof value !== 'object' || value === null) return around(JSON.stringify(value))
  const members = Object.entries(value).map(
    ([name, member]) => `${around(spellText(name, roll))}:${spell(member, roll)}`,
  )
  return around(`{${members.join(',') || blank()}}`)
}

/** Any character may be escaped, and the slash has an escape of its own (RFC 8259 section 7). */
export function spellText(text: string, roll: Dice): string {
  const every = [1, 3, 40, Number.POSITIVE_INFINITY][roll(4)] ?? 1
  return `"${Array.from(text, (character) => spellCharacter(character, every !== Number.POSITIVE_INFINITY && roll(every) === 0, roll)).join('')}"`
}

function spellCharacter(character: string, isEscaped: boolean, roll: Dice): string {
  if (character === '/' && isEscaped) return '\\/'
  const plain = JSON.stringify(character).slice(1, -1)
  return isEscaped ? escaped(character, roll) : plain
}

/** Each half of a surrogate pair by itself, the hexadecimal digits large or small. */
function escaped(character: string, roll: Dice): string {
  return Array.from({ length: character.length }, (_, at) => {
    const digits = character.charCodeAt(at).toString(16).padStart(4, '0')
    return `\\u${roll(2) === 0 ? digits : digits.toUpperCase()}`
  }).join('')
}

/** The same number to the last bit, with an exponent or zeros nobody needs (RFC 8259 section 6). */
function spellNumber(value: number, roll: Dice): string {
  const text = JSON.stringify(value)
  if (/e/.test(text)) return roll(2) === 0 ? text : text.toUpperCase()
  const zeros = '0'.repeat(1 + roll(30))
  const point = text.includes('.') ? '' : '.'
  return [text, text, `${text}e0`, `${text}E+00`, `${text}e-0`, `${text}${point}${zeros}`][roll(6)] ?? text
}
