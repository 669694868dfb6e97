/** A text with its escapes resolved. */
export interface Layer {
  readonly text: string
  /** Where a character of it stands in the original; of the length, where that ends. */
  readonly at: (index: number) => number
}

/** Somebody who writes JSON in JSON in a URL is found out; more is not worth the time. */
const mostLayers = 3

/**
 * A text, and what is left of it when the escapes of JSON, JavaScript, URLs and HTML are resolved, once and again: an
 * error page may repeat what was sent in any of them. Takes linear time.
 */
export function escapeLayers(text: string): readonly Layer[] {
  const layers: Layer[] = [{ text, at: (index) => index }]
  for (let layer = layers[0]; layer !== undefined && layers.length <= mostLayers; ) {
    layer = resolved(layer)
    if (layer !== undefined) layers.push(layer)
  }
  return layers
}

const hexadecimal =
  /\\u([\da-f]{4})|\\u\{0*([\da-f]{1,6})\}|\\x([\da-f]{2})|%([\da-f]{2})|&#x0{0,8}([\da-f]{1,6});/
const others =
  /&#0{0,8}(\d{1,7});|&(amp|lt|gt|quot|apos|sol|plus|equals|period|colon|comma|semi);|\\([^ux\s])/
const escapes = new RegExp(`${hexadecimal.source}|${others.source}`, 'gi')

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  sol: '/',
  plus: '+',
  equals: '=',
  period: '.',
  colon: ':',
  comma: ',',
  semi: ';',
}

/** One layer down; `undefined` when there are no escapes. */
function resolved({ text, at }: Layer): Layer | undefined {
  const parts: string[] = []
  const places: number[] = []
  let done = 0
  const take = (part: string, from: number, isEscape: boolean): void => {
    parts.push(part)
    for (let index = 0; index < part.length; index++) places.push(at(isEscape ? from : from + index))
  }
  for (const match of text.matchAll(escapes)) {
    const [written, ...groups] = match
    take(text.slice(done, match.index), done, false)
    take(meaning(groups) ?? written, match.index, true)
    done = match.index + written.length
  }
  if (done === 0) return undefined
  take(text.slice(done), done, false)
  places.push(at(text.length))
  return { text: parts.join(''), at: (index) => places[index] ?? at(text.length) }
}

function meaning(groups: readonly (string | undefined)[]): string | undefined {
  const hex = groups.slice(0, 5).find((group) => group !== undefined)
  const [decimal, entity, character] = groups.slice(5)
  if (hex !== undefined) return codePoint(Number.parseInt(hex, 16))
  if (decimal !== undefined) return codePoint(Number(decimal))
  return entity === undefined ? character : entities[entity.toLowerCase()]
}

function codePoint(code: number): string | undefined {
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}
