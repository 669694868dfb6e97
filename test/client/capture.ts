import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { vi } from 'vitest'

/** A secret of its own for each name: nobody could guess it, no pattern knows it, and it is the same in each run. */
export function fixture(name: string, length = 43): string {
  const text = createHash('sha512').update(`fixture ${name}`).digest('base64').replace(/=+$/, '')
  // Characters that encodings change: a bearer token may hold them (RFC 6750 section 2.1).
  return `${text.slice(0, 9)}+/${text.slice(11, length - 3)}~==`
}

/** One in three parts, as a JWT is, that does not begin as one. */
export function partedFixture(name: string): string {
  return [1, 2, 3].map((part) => plainFixture(`${name} ${part}`, 30)).join('.')
}

/** One of letters and digits, where nothing else may stand. */
export function plainFixture(name: string, length = 32): string {
  const text = createHash('sha512').update(`plain ${name}`).digest('base64')
  return text.replace(/[^A-Za-z0-9]/g, '').slice(0, length)
}

/** Characters of a piece that nobody may see. */
const piece = 8

/** Finds secrets in texts: any eight characters in a row, as they are or encoded. */
export class SecretFinder {
  readonly #pieces = new Map<string, string>()

  constructor(secrets: Readonly<Record<string, string>>) {
    for (const [name, secret] of Object.entries(secrets)) {
      if (secret.length < piece) throw new Error(`the fixture ${name} is too short to be found`)
      for (const form of formsOf(secret)) {
        for (let at = 0; at + piece <= form.length; at++) this.#pieces.set(form.slice(at, at + piece), name)
      }
    }
  }

  /** The name of a secret the text holds, and where; `undefined` when it holds none. */
  find(text: string): string | undefined {
    for (let at = 0; at + piece <= text.length; at++) {
      const name = this.#pieces.get(text.slice(at, at + piece))
      if (name !== undefined) return `${name} in: ${text.slice(Math.max(0, at - 100), at + 40)}`
    }
    return undefined
  }
}

/** What encodings make of a secret; of base64 all three, for what stands before it shifts it. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    // What depends on the bytes before and behind it is no sign of it.
    return text.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + bytes.length) * 8) / 6))
  })
  return [
    secret,
    secret.toLowerCase(),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ s: secret }).toString().slice(2),
    ...shifted,
    ...shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ]
}

/** Everything a logger, a debugger or a crash report could show of a value. */
export function everythingOf(value: unknown): string {
  return [
    attempt(() =>
      inspect(value, { showHidden: true, depth: Infinity, getters: true, maxStringLength: null }),
    ),
    attempt(() => inspect(value, { showHidden: true, depth: Infinity, customInspect: false })),
    attempt(() => JSON.stringify(value)),
    attempt(() => String(value)),
    attempt(() => inspect(structuredClone(value), { depth: Infinity })),
    propertiesOf(value, new Set()),
  ].join('\n')
}

function attempt(show: () => string | undefined): string {
  try {
    return show() ?? ''
  } catch {
    // It cannot be shown in this way.
    return ''
  }
}

/** Own properties of all depths; hidden ones, symbols, and members of maps and sets included. */
function propertiesOf(value: unknown, seen: Set<unknown>): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value)
  if (seen.has(value)) return ''
  seen.add(value)
  const members = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : []
  const own = Reflect.ownKeys(value).map(
    (name) => `${String(name)}: ${attempt(() => propertiesOf(Reflect.get(value, name), seen))}`,
  )
  return [...own, ...members.map((member) => propertiesOf(member, seen))].join('\n')
}

/** All that came out while something ran. */
export interface Captured {
  /** What it threw, or gave to be looked at. */
  readonly values: readonly unknown[]
  /** What was printed, in any way, and warnings of the process. */
  readonly printed: string
}

const consoleMethods = ['debug', 'dir', 'error', 'info', 'log', 'table', 'trace', 'warn'] as const

/**
 * Runs work and writes down all that comes out of it.
 * @param work gives what has to be looked at; what it throws is looked at as well
 */
export async function capture(work: () => unknown): Promise<Captured> {
  const printed: string[] = []
  const values: unknown[] = []
  const note = (...parts: readonly unknown[]): void => void printed.push(...parts.map(everythingOf))
  const spies = [
    ...[process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        note(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
        return true
      }),
    ),
    ...consoleMethods.map((method) => vi.spyOn(console, method).mockImplementation(note)),
    vi.spyOn(process, 'emitWarning').mockImplementation(note as typeof process.emitWarning),
  ]
  process.on('warning', note)
  try {
    values.push(await work())
  } catch (error) {
    values.push(error)
  } finally {
    process.off('warning', note)
    for (const spy of spies) spy.mockRestore()
  }
  return { values, printed: printed.join('\n') }
}

/** Secrets by name; a function when they are made on the way. */
export type Secrets = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>)

const finders = new WeakMap<object, SecretFinder>()

/**
 * Runs work that has to fail or gives what has to be looked at, and looks for secrets in all that comes out.
 * @throws Error naming the secret and what stands before it
 */
export async function expectNoLeak(secrets: Secrets, work: () => unknown): Promise<void> {
  const { values, printed } = await capture(work)
  const named = typeof secrets === 'function' ? secrets() : secrets
  const finder = finders.get(named) ?? new SecretFinder(named)
  finders.set(named, finder)
  const found = finder.find(printed) ?? finder.find(values.map(everythingOf).join('\n'))
  if (found !== undefined) throw new Error(`there is ${found}`)
}
