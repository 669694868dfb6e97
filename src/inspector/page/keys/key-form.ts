import { systemClock } from '../../../core/clock.ts'
import type { KeyFacts } from './keys-api.ts'

/** What stands in the fields of a key, as it was typed. */
export interface KeyForm {
  readonly name: string
  readonly owner: string
  readonly ownerType: string
  readonly scopes: string
  /** Days, `date`, `never`; `keep` where nothing is to change. */
  readonly expiry: string
  readonly expiryDate: string
  readonly tenant: string
  readonly audience: string
  readonly tools: string
  readonly addresses: string
  readonly rateLimit: string
  readonly usageLimit: string
  readonly notBefore: string
  readonly metadata: string
}

/** What is wrong, by field. */
export type FieldErrors = ReadonlyMap<keyof KeyForm, string>

/** What is sent, or what is wrong. */
export type ReadForm =
  | { readonly body: Readonly<Record<string, unknown>>; readonly errors?: undefined }
  | { readonly errors: FieldErrors; readonly body?: undefined }

/** The fields of a new key. */
export const newForm: KeyForm = {
  name: '',
  owner: '',
  ownerType: '',
  scopes: '',
  expiry: '90',
  expiryDate: '',
  tenant: '',
  audience: '',
  tools: '',
  addresses: '',
  rateLimit: '',
  usageLimit: '',
  notBefore: '',
  metadata: '',
}

/** The fields of a key as it is. */
export function formOf(key: KeyFacts): KeyForm {
  const { metadata = {}, notBefore = '' } = key
  return {
    name: key.name,
    owner: key.owner.id,
    ownerType: key.owner.type ?? '',
    scopes: key.scopes.join(' '),
    expiry: 'keep',
    expiryDate: '',
    tenant: key.tenant ?? '',
    audience: lines(key.audiences),
    tools: lines(key.tools),
    addresses: lines(key.addresses),
    rateLimit: String(key.rateLimit ?? ''),
    usageLimit: String(key.usageLimit ?? ''),
    notBefore: notBefore.slice(0, 16),
    metadata: Object.keys(metadata).length === 0 ? '' : JSON.stringify(metadata, null, 2),
  }
}

/** What the API is sent for a new key: what was left empty is left out. */
export function readNewForm(form: KeyForm): ReadForm {
  const { body, errors } = read(form, (member) => members[member].of.some((field) => form[field] !== ''))
  if (errors) return { errors }
  const days = Number(form.expiry)
  // Counted by the server: the clock of this machine may be wrong.
  const told = Number.isNaN(days)
    ? body
    : { ...body, expiresAt: null, expiresInSeconds: (days * dayMs) / 1000 }
  return { body: Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null)) }
}

/** What the API is sent to change a key: what is other than it was; `null` where there is nothing any more. */
export function readChanges(form: KeyForm, before: KeyForm): ReadForm {
  return read(form, (member) => members[member].of.some((field) => form[field] !== before[field]))
}

/** The field a member of the API is typed into; `undefined` for others. */
export function fieldOf(member: string | undefined): keyof KeyForm | undefined {
  if (member === 'expiresInSeconds') return 'expiry'
  return member !== undefined && Object.hasOwn(members, member) ? members[member as Member].of[0] : undefined
}

type Member = keyof typeof members

/** The members of the API, the fields they are made of, and how. */
const members = {
  name: { of: ['name'], read: ({ name }) => required(name, 'A key needs a name.') },
  owner: { of: ['owner', 'ownerType'], read: readOwner },
  scopes: { of: ['scopes'], read: ({ scopes }) => words(scopes) },
  expiresAt: { of: ['expiry', 'expiryDate'], read: readExpiry },
  tenant: { of: ['tenant'], read: ({ tenant }) => tenant.trim() || null },
  audience: { of: ['audience'], read: ({ audience }) => entries(audience) },
  tools: { of: ['tools'], read: ({ tools }) => entries(tools) },
  addresses: { of: ['addresses'], read: ({ addresses }) => entries(addresses) },
  rateLimit: { of: ['rateLimit'], read: ({ rateLimit }) => whole(rateLimit) },
  usageLimit: { of: ['usageLimit'], read: ({ usageLimit }) => whole(usageLimit) },
  notBefore: { of: ['notBefore'], read: ({ notBefore }) => (notBefore === '' ? null : utc(notBefore)) },
  metadata: { of: ['metadata'], read: ({ metadata }) => object(metadata) },
} as const satisfies Record<
  string,
  { readonly of: readonly [keyof KeyForm, ...(keyof KeyForm)[]]; readonly read: (form: KeyForm) => unknown }
>

/** Something a person typed is not what it should be. */
class Wrong extends Error {}

function read(form: KeyForm, isSent: (member: Member) => boolean): ReadForm {
  const body: Record<string, unknown> = {}
  const errors = new Map<keyof KeyForm, string>()
  for (const member of Object.keys(members) as Member[]) {
    const { of, read: reader } = members[member]
    // The name and the owner are looked at in any case: a key has both.
    if (!isSent(member) && member !== 'name' && member !== 'owner') continue
    try {
      const value = reader(form)
      if (isSent(member) && value !== undefined) body[member] = value
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      errors.set(of[0], error.message)
    }
  }
  return errors.size > 0 ? { errors } : { body }
}

function required(text: string, message: string): string {
  if (text.trim() === '') throw new Wrong(message)
  return text.trim()
}

function readOwner({ owner, ownerType }: KeyForm): object {
  const id = required(owner, 'A key needs an owner: a person, a team or a program.')
  return ownerType.trim() === '' ? { id } : { type: ownerType.trim(), id }
}

const dayMs = 86_400_000

function readExpiry({ expiry, expiryDate }: KeyForm): string | null | undefined {
  if (expiry === 'keep') return undefined
  if (expiry === 'never') return null
  if (expiry === 'date') return utc(`${required(expiryDate, 'Choose a date.')}T00:00`)
  return new Date(systemClock() + Number(expiry) * dayMs).toISOString()
}

function utc(local: string): string {
  const date = new Date(`${local}Z`)
  if (Number.isNaN(date.getTime())) throw new Wrong('This is no date.')
  return date.toISOString()
}

function words(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

function entries(text: string): readonly string[] | null {
  const found = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
  return found.length === 0 ? null : found
}

function whole(text: string): number | null {
  if (text.trim() === '') return null
  const number = Number(text)
  if (!(Number.isSafeInteger(number) && number >= 1))
    throw new Wrong('This must be a whole number, 1 or more.')
  return number
}

function object(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below.
  }
  throw new Wrong('This must be a JSON object, such as {"project": "reports"}.')
}

function lines(texts: readonly string[] | undefined): string {
  return (texts ?? []).join('\n')
}
