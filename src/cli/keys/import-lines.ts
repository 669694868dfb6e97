import type { ImportedApiKey } from '../../apikeys/api-key.ts'
import { UsageError } from '../command.ts'
import { momentOf } from './times.ts'

/** A line of an import: a key, or what is wrong with it. */
export interface ImportLine {
  /** The first one is 1. */
  readonly line: number
  readonly key?: ImportedApiKey
  readonly fault?: string
  /** What no message may repeat. */
  readonly secrets: readonly string[]
}

const members: ReadonlySet<string> = new Set<keyof ImportedApiKey>([
  'name',
  'owner',
  'tenant',
  'clientId',
  'scopes',
  'tools',
  'audience',
  'addresses',
  'rateLimit',
  'usageLimit',
  'notBefore',
  'expiresAt',
  'expiresInSeconds',
  'metadata',
  'key',
  'sha256',
  'allowWeak',
])

/** Reads JSON lines; empty ones are passed over. What the members hold is looked at by who imports them. */
export function importLines(text: string): ImportLine[] {
  return text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [readLine(line, at + 1)]))
}

function readLine(text: string, line: number): ImportLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The error of `JSON.parse` repeats the text.
    return { line, fault: 'it is not valid JSON', secrets: [] }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, fault: 'it is not a JSON object', secrets: [] }
  const { key, sha256 } = value as { key?: unknown; sha256?: unknown }
  // What is shorter stands in any text.
  const secrets = [key, sha256].filter(
    (secret) => typeof secret === 'string' && secret.length >= 6,
  ) as string[]
  try {
    return { line, key: keyOf(value as Readonly<Record<string, unknown>>), secrets }
  } catch (error) {
    return { line, fault: (error as Error).message, secrets }
  }
}

function keyOf(value: Readonly<Record<string, unknown>>): ImportedApiKey {
  // A name that is misspelt may be a limit that would be missing.
  if (!Object.keys(value).every((name) => members.has(name)))
    throw new UsageError(`it has a member that does not exist; known are ${[...members].join(', ')}`)
  const { notBefore, expiresAt } = value
  return {
    ...value,
    ...(notBefore !== undefined && { notBefore: dateOf(notBefore, 'notBefore') }),
    ...(expiresAt !== undefined && { expiresAt: dateOf(expiresAt, 'expiresAt') }),
  } as unknown as ImportedApiKey
}

function dateOf(value: unknown, name: string): Date {
  const moment = typeof value === 'string' ? momentOf(value, name) : undefined
  if (moment === undefined || !('date' in moment))
    throw new UsageError(`${name} must be a date such as 2027-01-31 or 2027-01-31T18:00Z`)
  return moment.date
}
