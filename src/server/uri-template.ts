/** Fills and recognises the URIs of a template such as `users://{id}/files/{+path}`. */
export interface UriTemplate {
  readonly template: string
  /** Names of the variables, in order. */
  readonly names: readonly string[]
  /** The values of the variables when the URI has the shape of the template, percent-decoded; else `undefined`. */
  match(uri: string): Record<string, string> | undefined
}

/** Longer URIs match nothing: matching costs at most the square of the length. */
const maxUriLength = 8192
const expression = /\{([^{}]*)\}/g
const variable = /^(\+?)([A-Za-z_][A-Za-z0-9_]*)$/

/**
 * Compiles the part of RFC 6570 that servers use for resources: `{name}` stands for one path segment, `{+name}` for
 * the rest, slashes included. Values are percent-decoded: treat them as any other input, `..` and `/` included.
 *
 * @throws TypeError when the template holds another kind of expression, none at all, two rests, or a name twice
 */
export function uriTemplate(template: string): UriTemplate {
  const names: string[] = []
  let rests = 0
  let pattern = ''
  let end = 0
  for (const found of template.matchAll(expression)) {
    const [, operator, name] = variable.exec(found[1]!) ?? []
    if (name === undefined)
      throw new TypeError(`resource "${template}": only {name} and {+name} are supported in a URI template`)
    if (found.index > 0 && found.index === end)
      throw new TypeError(`resource "${template}": two variables need text between them`)
    if (names.includes(name)) throw new TypeError(`resource "${template}": the variable ${name} occurs twice`)
    if (operator === '+') rests++
    names.push(name)
    pattern += `${literal(template.slice(end, found.index))}${operator === '+' ? '(.+)' : '([^/?#]+)'}`
    end = found.index + found[0].length
  }
  if (names.length === 0 || /[{}]/.test(template.replace(expression, ''))) {
    throw new TypeError(`resource "${template}" is no URI template: braces do not match`)
  }
  if (rests > 1) throw new TypeError(`resource "${template}": only one {+name} is supported`)
  const matcher = new RegExp(`^${pattern}${literal(template.slice(end))}$`)
  return {
    template,
    names: Object.freeze(names),
    match: (uri) => (uri.length > maxUriLength ? undefined : variables(names, matcher.exec(uri))),
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

function variables(
  names: readonly string[],
  found: RegExpExecArray | null,
): Record<string, string> | undefined {
  if (!found) return undefined
  const values = Object.create(null) as Record<string, string>
  for (const [index, name] of names.entries()) {
    const decoded = decode(found[index + 1]!)
    if (decoded === undefined) return undefined
    values[name] = decoded
  }
  return values
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
