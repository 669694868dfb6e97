import { encodePart, goodClaims, type Signer } from './forge.ts'

/** A member of an object as it is spelt: a quoted name, and any text for its value. */
export type Member = readonly [name: string, value: string]
type Change<T> = (value: T) => T

/** One of the two objects of a token, on its way to becoming a part of it. */
export interface Side {
  members: Member[]
  /** What stands between names, values and signs. */
  blank: string
  /** Changes of the JSON text, of its bytes, and of their base64url, one after another. */
  readonly text: Change<string>[]
  readonly bytes: Change<Buffer>[]
  readonly part: Change<string>[]
}

/** A token that is being made. */
export interface Draft {
  readonly header: Side
  readonly payload: Side
  /** Changes of the signed token. */
  readonly token: Change<string>[]
  /** Sign as HS256, with a secret that the number chooses among those everybody knows. */
  openSecret: number | undefined
}

/** Changes a draft, in a way that the two numbers choose. */
export type Mutation = (draft: Draft, one: number, two: number) => void

/** A good token, before it is written. */
export function goodDraft(algorithm: string): Draft {
  return {
    header: sideOf({ alg: algorithm, typ: 'at+jwt', kid: 'k1' }),
    payload: sideOf({ ...goodClaims, jti: 'token-1' }),
    token: [],
    openSecret: undefined,
  }
}

function sideOf(object: object): Side {
  const members = Object.entries(object).map(
    ([name, value]) => [JSON.stringify(name), JSON.stringify(value)] as const,
  )
  return { members, blank: '', text: [], bytes: [], part: [] }
}

/** The token as it was drafted, signed as it is then. */
export function write({ header, payload, token }: Draft, sign: Signer): string {
  const input = `${writePart(header)}.${writePart(payload)}`
  return apply(token, `${input}.${encodePart(sign(Buffer.from(input)))}`)
}

function writePart({ members, blank, text, bytes, part }: Side): string {
  const written = members.map(([name, value]) => [blank, name, blank, ':', blank, value, blank].join(''))
  const changed = apply(text, `${blank}{${written.join(',')}}${blank}`)
  return apply(part, apply(bytes, Buffer.from(changed)).toString('base64url'))
}

function apply<T>(changes: readonly Change<T>[], value: T): T {
  return changes.reduce((before, change) => change(before), value)
}

/** Puts a member at the end, in the place of the one that is there. @param value as it is spelt */
export function set(side: Side, name: string, value: string): void {
  remove(side, name)
  side.members.push([JSON.stringify(name), value])
}

export function remove(side: Side, name: string): void {
  side.members = side.members.filter(([other]) => other !== JSON.stringify(name))
}

/** An element of a list, whatever the number. */
export function pick<T>(list: readonly T[], number: number): T {
  return list[number % list.length] as T
}
