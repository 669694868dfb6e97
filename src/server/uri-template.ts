/** Recognises the URIs of a template such as `users://{id}/files/{+path}`. */
export interface UriTemplate {
  readonly template: string
  /** Names of the variables, in order. */
  readonly names: readonly string[]
  /** The values of the variables when the URI, in its normal spelling, has the shape of the template; else `undefined`. */
  match(uri: string): Record<string, string> | undefined
}

/** One variable, and the text up to the next one. */
interface Variable {
  readonly name: string
  /** Whether it may hold slashes. */
  readonly isRest: boolean
  readonly after: string
}

const expression = /\{([^{}]*)\}/g
const variable = /^(\+?)([A-Za-z_][A-Za-z0-9_]*)$/
/** Longer URIs match nothing. */
const maxUriLength = 8192

/**
 * Compiles the part of RFC 6570 that servers use for resources: `{name}` stands for one path segment, `{+name}` for
 * anything, slashes included. A variable ends where the text after it first occurs; the last one, or `{+name}`, takes
 * what is left. Matching looks at each character a bounded number of times: no URI makes it slow.
 *
 * The value of `{name}` is percent-decoded; a segment that hides one of the delimiters `/`, `?`, `#` is no segment and
 * does not match. The value of `{+name}` stays encoded, in the spelling of {@link normalUri} (RFC 6570 section 3.2.3).
 *
 * @throws TypeError when the template holds another kind of expression, none at all, two rests, or a name twice
 */
export function uriTemplate(template: string): UriTemplate {
  const [start, variables] = parse(template)
  const rest = variables.findIndex(({ isRest }) => isRest)
  // Those before the widest variable are read from the left, those behind it from the right.
  const widest = rest === -1 ? variables.length - 1 : rest
  const names = variables.map(({ name }) => name)
  return {
    template,
    names: Object.freeze(names),
    match(uri) {
      if (!uri.startsWith(start)) return undefined
      const raw = split(uri.slice(start.length), variables, widest)
      return raw && valuesOf(raw, variables)
    },
  }
}

/**
 * One spelling for all spellings of a URI, so that each finds the same resource, and its scopes: what a URI cannot hold
 * is percent-encoded (RFC 3986 section 2.1), what a path segment can hold is not. Only delimiters keep their disguise.
 *
 * @returns `undefined` when the URI is too long to be any
 */
export function normalUri(uri: string): string | undefined {
  if (uri.length > maxUriLength) return undefined
  return uri
    .replace(loneSurrogate, '\uFFFD')
    .replace(foreignCharacter, encodeURIComponent)
    .replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
      const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
      return segmentCharacter.test(char) ? char : triplet.toUpperCase()
    })
}

const loneSurrogate = /[\uD800-\uDFFF]/gu
/** Brackets are of the host alone (RFC 3986 section 3.2.2), which has no meaning here. */
const foreignCharacter = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/?#%]/gu
/** RFC 3986 section 3.3: pchar. */
const segmentCharacter = /[A-Za-z0-9\-._~!$&'()*+,;=:@]/

function parse(template: string): [start: string, variables: Variable[]] {
  const owner = `resource "${template}"`
  const found = [...template.matchAll(expression)]
  if (found.length === 0 || /[{}]/.test(template.replace(expression, ''))) {
    throw new TypeError(`${owner} is no URI template: braces do not match`)
  }
  const variables = found.map(({ 0: whole, 1: inner, index }, at): Variable => {
    const [, operator, name] = variable.exec(inner!) ?? []
    if (name === undefined)
      throw new TypeError(`${owner}: only {name} and {+name} are supported in a URI template`)
    const after = literal(owner, template.slice(index + whole.length, found[at + 1]?.index))
    if (after === '' && at < found.length - 1)
      throw new TypeError(`${owner}: two variables need text between them`)
    return { name, isRest: operator === '+', after }
  })
  if (variables.filter(({ isRest }) => isRest).length > 1) {
    throw new TypeError(`${owner}: only one {+name} is supported`)
  }
  const twice = variables.find(({ name }, at) => variables.findIndex((other) => other.name === name) !== at)
  if (twice) throw new TypeError(`${owner}: the variable ${twice.name} occurs twice`)
  return [literal(owner, template.slice(0, found[0]!.index)), variables]
}

function literal(owner: string, text: string): string {
  const normal = normalUri(text)
  if (normal === undefined) throw new TypeError(`${owner} is too long`)
  return normal
}

/** Cuts the text into the raw values of the variables, in order; `undefined` when it does not fit. */
function split(text: string, variables: readonly Variable[], widest: number): string[] | undefined {
  const values: string[] = []
  let [from, to] = [0, text.length]
  for (let at = 0; at < widest; at++) {
    const { after } = variables[at]!
    // At least one character belongs to the variable.
    const end = text.indexOf(after, from + 1)
    if (end === -1) return undefined
    values[at] = text.slice(from, end)
    from = end + after.length
  }
  for (let at = variables.length - 1; at >= widest; at--) {
    const { after } = variables[at]!
    if (to - after.length < from || !text.startsWith(after, to - after.length)) return undefined
    to -= after.length
    const start = at === widest ? from : endOf(variables[at - 1]!.after, text, to)
    values[at] = text.slice(start, to)
    to = start
  }
  return values
}

/** Where the variable behind `before` begins when it ends at `to`: after the last `before` that leaves it a character. */
function endOf(before: string, text: string, to: number): number {
  const start = text.lastIndexOf(before, to - before.length - 1)
  return start === -1 ? to : start + before.length
}

function valuesOf(
  raw: readonly string[],
  variables: readonly Variable[],
): Record<string, string> | undefined {
  const values = Object.create(null) as Record<string, string>
  for (const [at, { name, isRest }] of variables.entries()) {
    const value = isRest ? raw[at]! : segment(raw[at]!)
    if (value === undefined || value === '') return undefined
    values[name] = value
  }
  return values
}

const delimiter = /[/?#]/

function segment(raw: string): string | undefined {
  if (delimiter.test(raw)) return undefined
  try {
    const value = decodeURIComponent(raw)
    return delimiter.test(value) ? undefined : value
  } catch {
    return undefined
  }
}
