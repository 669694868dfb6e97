/** A URI template, as a person fills it in (RFC 6570). */
export interface FillableTemplate {
  /** Names of the variables, in order. */
  readonly names: readonly string[]
  /** The URI for these values; variables without one are left out. */
  fill(values: ReadonlyMap<string, string>): string
}

interface Operator {
  readonly first: string
  readonly between: string
  readonly isNamed: boolean
  /** Whether reserved characters stay as they are. */
  readonly isFree: boolean
}

const plain: Operator = { first: '', between: ',', isNamed: false, isFree: false }
/** RFC 6570, appendix A. */
const operators: ReadonlyMap<string, Operator> = new Map([
  ['+', { ...plain, isFree: true }],
  ['#', { ...plain, first: '#', isFree: true }],
  ['.', { ...plain, first: '.', between: '.' }],
  ['/', { ...plain, first: '/', between: '/' }],
  [';', { ...plain, first: ';', between: ';', isNamed: true }],
  ['?', { ...plain, first: '?', between: '&', isNamed: true }],
  ['&', { ...plain, first: '&', between: '&', isNamed: true }],
])

const expression = /\{([^{}]*)\}/g

/** Reads a template. Braces that hold no expression stay as they are. */
export function fillable(template: string): FillableTemplate {
  const found = [...template.matchAll(expression)].flatMap(([, inner]) => variablesOf(inner!))
  return {
    names: [...new Set(found.map(({ name }) => name))],
    fill: (values) => template.replace(expression, (_whole, inner: string) => filled(inner, values)),
  }
}

interface Variable {
  readonly name: string
  readonly length: number | undefined
}

function variablesOf(inner: string): readonly Variable[] {
  return inner
    .replace(/^[+#./;?&]/, '')
    .split(',')
    .flatMap((part) => {
      const [, name, length] = /^([^:*\s]+)(?::(\d{1,4})|\*)?$/.exec(part.trim()) ?? []
      return name === undefined ? [] : [{ name, length: length === undefined ? undefined : Number(length) }]
    })
}

function filled(inner: string, values: ReadonlyMap<string, string>): string {
  const { first, between, isNamed, isFree } = operators.get(inner[0] ?? '') ?? plain
  const parts = variablesOf(inner).flatMap(({ name, length }) => {
    const value = values.get(name)
    if (value === undefined || value === '') return []
    const cut = length === undefined ? value : [...value].slice(0, length).join('')
    const text = isFree
      ? encodeURI(wellFormed(cut)).replaceAll('%5B', '[').replaceAll('%5D', ']')
      : strict(cut)
    return [isNamed ? `${name}=${text}` : text]
  })
  return parts.length === 0 ? '' : first + parts.join(between)
}

function strict(text: string): string {
  return encodeURIComponent(wellFormed(text)).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Half of a character cannot be encoded. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDFFF]/gu, '\uFFFD')
}
