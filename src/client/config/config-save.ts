import { type ConfigDocument, isPlain } from './config-document.ts'
import { suggestion } from './config-members.ts'
import { isSecretName, isSecretVariable, literalOf, looksSecret } from './config-secrets.ts'
import { isReference, isVariableName, placeholder, readPlaceholder } from './interpolate.ts'

/** A variable that has to be set before a saved configuration works. */
export interface SavedVariable {
  /** The name of the environment variable. */
  readonly name: string
  /** Where its value was: `mcpServers.api.auth`. */
  readonly place: string
}

/** What {@link MCPClient.save} could not write. */
export interface SaveReport {
  /** Secrets that stood in the configuration: the file has `${NAME}` in their place. */
  readonly variables: readonly SavedVariable[]
  /** Places that held what no file can: sources of tokens, functions. They are left out. */
  readonly omitted: readonly string[]
}

/** A configuration without its secrets, and what became of them. */
export interface Saved {
  readonly config: Readonly<Record<string, unknown>>
  readonly report: SaveReport
}

/**
 * Takes every secret out of a configuration that is about to be written: `auth` and `headers` wholly, `env` unless a
 * value is known to be harmless, and elsewhere what is named or looks like a credential.
 */
export function withoutSecrets({ member, servers, others }: ConfigDocument): Saved {
  const scrubber = new Scrubber(servers, others)
  const entries = [...servers].map(([name, entry]) => [
    name,
    scrubber.member(entry, { server: name, place: `${member}.${name}`, name: '' }),
  ])
  const rest = Object.entries(others).map(([name, value]) => [
    name,
    scrubber.member(value, { server: 'mcp', place: name, name, section: sectionOf(name) }),
  ])
  return {
    config: Object.fromEntries([...rest, [member, Object.fromEntries(entries)]]) as Saved['config'],
    report: { variables: scrubber.variables, omitted: scrubber.omitted },
  }
}

/**
 * What is inside `auth` and `headers` is secret; what is inside `env` is, unless it is known to be harmless; what is
 * elsewhere is when it says so or looks like it. Where a token comes from is elsewhere.
 */
type Section = 'auth' | 'headers' | 'env' | 'elsewhere'

/** Where the scrubber is. */
interface Spot {
  readonly server: string
  readonly place: string
  /** The member, variable, header or flag the value belongs to; empty for an entry itself. */
  readonly name: string
  /** By which rule it is judged. */
  readonly section?: Section
}

/** How programs that are given headers call them. */
const headerFlag = /^(?:-H|--headers?)$/
/** How `curl` and others are given a name with a password. */
const userFlag = /^(?:-u|--(?:proxy-)?user)$/
/** `name:password`; numbers are those of a user and a group of the system. */
const nameAndPassword = /^(?!\d+:\d+$)[^:]*:./

class Scrubber {
  readonly variables: SavedVariable[] = []
  readonly omitted: string[] = []
  readonly #known: readonly string[]
  readonly #taken: Set<string>

  constructor(servers: ReadonlyMap<string, unknown>, others: unknown) {
    const entries = [...servers.values()].filter(isPlain)
    // A path or a program of `auth` is no secret, and would be taken for one wherever it stands.
    const credentials = entries.flatMap(({ auth, headers }) => [
      ...(typeof auth === 'string' ? [auth] : []),
      ...textsIn(headers),
    ])
    this.#known = credentials.map(literalOf).filter(Boolean)
    this.#taken = new Set(textsIn([...servers.values(), others]).flatMap(variablesIn))
  }

  /** The value as it may be written; `undefined` when it may not. */
  member(value: unknown, spot: Spot): unknown {
    if (typeof value === 'string') return this.#text(value, spot)
    if (isReference(value) && isVariableName(value.env)) return value
    if (Array.isArray(value)) return this.#list(value, spot)
    if (isPlain(value) && typeof value.token !== 'function') {
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, this.member(item, inside(spot, name))]),
      )
    }
    if (typeof value === 'number' && isSecretName(spot.name)) return this.#variable(spot)
    if (value === null || ['number', 'boolean', 'undefined'].includes(typeof value)) return value
    this.omitted.push(spot.place)
    return undefined
  }

  #list(items: readonly unknown[], spot: Spot): unknown[] {
    return items.map((item, index) => {
      const here = { ...spot, place: `${spot.place}[${index}]` }
      if (typeof item !== 'string' || spot.section === 'auth' || spot.section === 'headers') {
        return this.member(item, here)
      }
      const before: unknown = items[index - 1]
      return this.#word(item, typeof before === 'string' ? before : '', here, index)
    })
  }

  /** One argument of a command: `value`, `--name=value`, `NAME=value`, or what follows `--name`. */
  #word(word: string, before: string, spot: Spot, index: number): string {
    const [, start = '', name = '', value = ''] = /^((-{0,2}[A-Za-z][\w.-]*)=)(.*)$/s.exec(word) ?? []
    if (headerFlag.test(name) && literalOf(value) !== '')
      return start + this.#variable({ ...spot, name: 'header' })
    if (
      start !== '' &&
      this.#isSecret(value, { ...spot, name, section: name.startsWith('-') ? 'elsewhere' : 'env' })
    ) {
      return start + this.#variable({ ...spot, name })
    }
    const isFlag = /^-[\w-]+$/.test(before)
    if (
      isFlag &&
      !/^-/.test(word) &&
      literalOf(word) !== '' &&
      (isSecretName(before) ||
        headerFlag.test(before) ||
        (userFlag.test(before) && nameAndPassword.test(word)))
    ) {
      return this.#variable({ ...spot, name: headerFlag.test(before) ? 'header' : before })
    }
    return looksSecret(word, this.#known) ? this.#variable({ ...spot, name: `arg_${index + 1}` }) : word
  }

  #text(text: string, spot: Spot): string {
    if (!this.#isSecret(text, spot)) return text
    const [start = ''] = spot.section === 'headers' ? (/^bearer\s+/i.exec(text) ?? []) : []
    const single = /^\$\{(?:env:)?(\w+):-/.exec(text.slice(start.length))?.[1]
    // A default that may be a secret goes, the variable it is the default of stays.
    const isDefault =
      single !== undefined && [...text.matchAll(placeholder)].length === 1 && text.endsWith('}')
    return start + this.#variable(spot, isDefault ? single : undefined)
  }

  #isSecret(text: string, { name, section }: Spot): boolean {
    if (section === 'auth' || section === 'headers') return literalOf(text) !== ''
    if (section === 'env') return isSecretVariable(name, text, this.#known)
    return (literalOf(text) !== '' && isSecretName(name)) || looksSecret(text, this.#known)
  }

  /** The placeholder of a variable that is called after the place it is for. */
  #variable({ server, place, name }: Spot, existing?: string): string {
    const plain = `${server}_${name === 'auth' ? 'token' : name}`
      .replaceAll(/[^A-Za-z0-9]+/g, '_')
      .toUpperCase()
    const stem = plain.replace(/_+$/, '').replace(/^(?=\d|_|$)/, 'MCP_')
    let variable = existing ?? stem
    for (let count = 2; existing === undefined && this.#taken.has(variable); count += 1)
      variable = `${stem}_${count}`
    this.#taken.add(variable)
    this.variables.push({ name: variable, place })
    return `\${${variable}}`
  }
}

function inside(spot: Spot, member: string): Spot {
  return {
    server: spot.server,
    place: `${spot.place}.${member}`,
    name: member,
    section: sectionInside(spot, member),
  }
}

function sectionInside({ name, section = 'elsewhere' }: Spot, member: string): Section {
  if (section !== 'auth' && section !== 'headers') {
    const own = sectionOf(member)
    return own === 'elsewhere' ? section : own
  }
  // `{ file }` and `{ command, args }` say where a token comes from.
  return name === 'auth' && ['file', 'command', 'args'].includes(member) ? 'elsewhere' : section
}

/** The rule for what is inside a member, also one that other programs know by another name. */
function sectionOf(member: string): Section {
  const meant = suggestion(member)
  return meant === 'auth' || meant === 'headers' || meant === 'env' ? meant : 'elsewhere'
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (isReference(value)) return [`\${${value.env}}`]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isPlain(value) ? Object.values(value).flatMap(textsIn) : []
}

function variablesIn(text: string): string[] {
  return [...text.matchAll(placeholder)].flatMap(([, inner = '']) => readPlaceholder(inner)?.name ?? [])
}
