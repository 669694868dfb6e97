import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { rolldown } from 'rolldown'
import { beforeAll, describe, expect, it } from 'vitest'
import { readToken, type TokenReading } from '../../src/inspector/token/reading.ts'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** What a token is read with, beside what is in its own room. */
const allowed = [
  ...['authorization', 'placeholder', 'redact', 'redacted', 'scopes'].map((name) => `core/${name}.ts`),
  ...['format', 'base62', 'crc32'].map((name) => `apikeys/${name}.ts`),
  ...['compact', 'part', 'json', 'bytes'].map((name) => `verify/${name}.ts`),
  'core/visible.ts',
  'inspector/report/visible-line.ts',
]

let code: string
let modules: string[]
beforeAll(async () => {
  const bundle = await rolldown({
    input: 'page',
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page' ? id : undefined),
        load: (id) =>
          id === 'page'
            ? `export { readToken } from ${JSON.stringify(`${source}inspector/token/reading.ts`)}
               export { cleanToken } from ${JSON.stringify(`${source}inspector/token/clean-token.ts`)}`
            : undefined,
      },
    ],
    onLog(_level, log) {
      throw new Error(log.message)
    },
  })
  const { output } = await bundle.generate({ format: 'iife', name: 'page', minify: true })
  await bundle.close()
  expect(output).toHaveLength(1)
  code = output[0].code
  expect(output[0].imports).toEqual([])
  modules = output[0].moduleIds.filter((id) => id !== 'page').map((id) => relative(source, id))
})

/** The program in a world that has what every browser has, and nothing of Node. */
function inPage(): (text: string, now: number) => TokenReading {
  const world = createContext({ atob, btoa, TextDecoder, TextEncoder, URLSearchParams, crypto })
  runInContext(`${code};globalThis.read = (text, now) => JSON.stringify(page.readToken(text, now))`, world)
  expect(runInContext('typeof Buffer + typeof process + typeof require', world)).toBe('undefined'.repeat(3))
  return (text, now) => JSON.parse((world as { read(text: string, now: number): string }).read(text, now))
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = Date.UTC(2026, 10, 26)

describe('a token is read in a browser', () => {
  it('with nothing of Node, and nothing of other rooms but what needs no machine', () => {
    expect(code).not.toMatch(/["'`]node:/)
    const foreign = modules.filter((path) => !path.startsWith('inspector/token/') && !allowed.includes(path))
    expect(foreign).toEqual([])
    const size = gzipSync(code, { level: 9 }).length
    console.info(`reading a token in a browser: ${code.length} bytes, ${size} compressed`)
    expect(size).toBeLessThan(8192)
  })

  it('as on the command line, whatever it is', () => {
    const read = inPage()
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc
        .array(fc.oneof(fc.string(), fc.jsonValue().map(part)), { maxLength: 5 })
        .map((parts) => parts.join('.')),
      fc
        .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))
        .map(([header, claims]) => `${part({ alg: 'RS256', ...header })}.${part(claims)}.c2lnbmF0dXJl`),
      fc.constantFrom(
        'pässword',
        'eyJ\u0100.e30.c2ln',
        'eyJhbGciOiJSUzI1NiJ9.\u{1F600}.c2ln',
        '',
        'ghp_x',
        '${X}',
      ),
    )
    fc.assert(
      fc.property(text, (token) => {
        expect(read(token, now)).toEqual(JSON.parse(JSON.stringify(readToken(token, now))))
      }),
      { numRuns: 200 },
    )
  })
})
