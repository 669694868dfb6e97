import { type Draft, type Member, type Mutation, pick, type Side } from './draft.ts'
import { dice, spellText } from './spelling.ts'

/** The side that a number chooses; three times out of four the payload. */
const sideOf = (draft: Draft, number: number): Side => (number % 4 === 0 ? draft.header : draft.payload)

/** Of a text: what is put in the place of so many of its characters. */
const splice = (text: string, at: number, removed: number, added: string) =>
  text.slice(0, at) + added + text.slice(at + removed)

/** What is put into a JSON text: mostly it is none afterwards. */
const scraps = [
  ...',:{}[]"\\\'-+.0eE \n\t\0/#',
  '\ufeff',
  '\u00a0',
  '\u2028',
  '/**/',
  '//\n',
  'NaN',
  'null',
  'Infinity',
  '0x1',
  '{}',
  ',,',
  '\\u00',
  '\ud83d\udd11',
]

/** Changes of how the objects are written. Those of the first four leave a good token good. */
export const textChanges: Readonly<Record<string, Mutation>> = {
  'names and texts with escapes': (draft, one, two) => {
    const side = sideOf(draft, one)
    side.members = side.members.map((member) => respelt(member, two))
  },
  'blanks between': (draft, one, two) => {
    sideOf(draft, one).blank = pick([' ', '\n', '\r\n', '\t', ' \n\t\r '], two)
  },
  'members in another order': (draft, one, two) => {
    const side = sideOf(draft, one)
    const roll = dice(two)
    side.members = side.members
      .map((member) => ({ member, place: roll(1000) }))
      .sort((a, b) => a.place - b.place)
      .map(({ member }) => member)
  },
  'a long text': ({ payload }, one, two) => {
    // Around the 8192 characters of the longest token, and far beyond.
    const length = two % 32 === 0 ? 60_000 : 5400 + (one % 500)
    payload.members.push(['"filling"', `"${'x'.repeat(length)}"`])
  },
  'a member twice': (draft, one, two) => {
    const side = sideOf(draft, one)
    const member = side.members.length === 0 ? undefined : pick(side.members, two)
    if (member === undefined) return
    const again = pick([member, respelt(member, two), [member[0], 'null'] as const], one >> 2)
    side.members.splice(two % (side.members.length + 1), 0, again)
  },
  'a member twice, further inside': (draft, one, two) => {
    const name = pick(['"a"', '"\\u0061"', '""', '"b"'], two)
    const inside = pick([`{"a":1,${name}:2}`, `[{"a":[],${name}:[]}]`, `{"b":{"a":1},${name}:2}`], one >> 2)
    sideOf(draft, one).members.push(['"inside"', inside])
  },
  'a scrap in the text': (draft, one, two) =>
    sideOf(draft, one).text.push((text) =>
      splice(text, (one >> 2) % (text.length + 1), two & 1, pick(scraps, two >> 1)),
    ),
  'no object': (draft, one, two) =>
    sideOf(draft, one).text.push((text) =>
      pick([`[${text}]`, '[]', 'null', '1', '"x"', '', '{}', `${text}${text}`, JSON.stringify(text)], two),
    ),
}

/** Bytes that are no UTF-8, or that only careless readers take for something. */
const oddBytes: readonly (readonly number[])[] = [
  [0x80],
  [0xc0, 0xaf],
  [0xc1, 0x81],
  [0xc3],
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xa0, 0xbd, 0xed, 0xb4, 0x91],
  [0xef, 0xbb, 0xbf],
  [0xef, 0xbf, 0xbd],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
  [0x00],
]

/** Changes of the bytes of the objects, before they are encoded and signed. */
export const byteChanges: Readonly<Record<string, Mutation>> = {
  'one bit of an object': (draft, one, two) =>
    sideOf(draft, one).bytes.push((bytes) => {
      const at = (one >> 2) % (bytes.length || 1)
      return bytes.map((byte, place) => (place === at ? byte ^ (1 << (two % 8)) : byte)) as Buffer
    }),
  'odd bytes': (draft, one, two) =>
    sideOf(draft, one).bytes.push((bytes) => {
      const at = pick([0, bytes.length, bytes.indexOf('":"') + 3, two % (bytes.length + 1)], one >> 2)
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(oddBytes, two)), bytes.subarray(at)])
    }),
  'bytes cut off': (draft, one, two) =>
    sideOf(draft, one).bytes.push((bytes) => bytes.subarray(0, two % (bytes.length + 1))),
  'UTF-16': (draft, one) =>
    sideOf(draft, one).bytes.push((bytes) => Buffer.from(bytes.toString(), 'utf16le')),
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const foreign = ['=', '==', '+', '/', '.', ' ', '\n', '%3D', '\u00e9', '\u200b', '~', '*', '\0']

/** Changes of the base64url of the objects, signed as it is then. */
export const partChanges: Readonly<Record<string, Mutation>> = {
  'a part spelt in another way': (draft, one, two) =>
    sideOf(draft, one).part.push((part) => otherEnd(part, two)),
  'a part with what does not belong': (draft, one, two) =>
    sideOf(draft, one).part.push((part) =>
      splice(part, pick([part.length, 0, (two >> 4) % (part.length + 1)], one >> 2), 0, pick(foreign, two)),
    ),
  'plain base64': (draft, one) =>
    sideOf(draft, one).part.push((part) => Buffer.from(part, 'base64url').toString('base64')),
}

/** Changes of the token after it was signed. */
export const tokenChanges: Readonly<Record<string, Mutation>> = {
  'one character': (draft, one, two) =>
    draft.token.push((token) => splice(token, one % token.length, 1, pick([...alphabet], two))),
  'a character more, less, or another': (draft, one, two) =>
    draft.token.push((token) =>
      splice(token, one % (token.length + 1), two % 3, pick(['', ...foreign, ...alphabet], two >> 2)),
    ),
  'the end in another way': (draft, _one, two) => draft.token.push((token) => otherEnd(token, two)),
  'parts moved': (draft, one, two) =>
    draft.token.push((token) => {
      const parts = token.split('.')
      const order = pick(['021', '102', '210', '01', '12', '0', '0122', '012012', '01201'], two)
      return [...order].map((at) => parts[Number(at)] ?? '').join(pick(['.', '.', '..', ''], one))
    }),
  'something around': (draft, _one, two) =>
    draft.token.push((token) =>
      pick([`Bearer ${token}`, `"${token}"`, `.${token}`, `${token}.`, ` ${token}`], two),
    ),
}

/** The last character changed: sometimes only in bits that carry nothing. */
function otherEnd(part: string, number: number): string {
  const last = alphabet.indexOf(part.slice(-1))
  return part.slice(0, -1) + pick([...alphabet], (last & ~3) + (number % 4))
}

function respelt([name, value]: Member, seed: number): Member {
  const roll = dice(seed)
  const again = (text: string) => {
    try {
      return spellText(String(JSON.parse(text)), roll)
    } catch {
      return text
    }
  }
  return [again(name), value.startsWith('"') ? again(value) : value]
}
