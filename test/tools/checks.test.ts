import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

type Check = 'check-layers' | 'check-budgets'
type Files = Readonly<Record<string, string>>

interface Finding {
  readonly rule: string
  readonly path: string
  readonly line: number
  readonly message: string
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'checks-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const repeat = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')

/** A small house that keeps every rule, near misses included; each planted fault is one change to it. */
const house: Files = {
  'package.json': JSON.stringify({
    name: 'house',
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './server': './dist/server/index.js',
      './package.json': './package.json',
    },
    dependencies: { jose: '*', '@scope/tool': '*' },
    devDependencies: { vitest: '*' },
    peerDependencies: { express: '*', pg: '*' },
    peerDependenciesMeta: { express: { optional: true }, pg: { optional: true } },
  }),
  'src/index.ts': `export { word, type WordOptions } from './core/word.ts'\nexport { gate } from './http/gate.ts'\nexport { source } from './client/source.ts'`,
  'src/core/word.ts': [
    `import { createHash } from 'node:crypto'`,
    `import { helper } from './helper.ts'`,
    '/** A word. The console, Date.now() and any process.env are only spoken of here. */',
    `export const word = [createHash, helper, 'console.log(process.env)']`,
    '/** Ten options, one of them a function that takes an object. */',
    `export interface WordOptions {\n${repeat(9, (index) => `  readonly option${index}?: string`)}\n  readonly last?: (init: { deep: string }) => { deep: string }\n}`,
  ].join('\n'),
  'src/core/helper.ts': `import type { word } from './word.ts'\nexport const helper = (x: typeof word) => x`,
  'src/core/clock.ts':
    'export const systemClock = () => Date.now()\nexport const other = () => [new Date(), performance.now()]',
  'src/core/time.ts': `export const parse = (text: string) => new Date(text).getTime()\nexport const names = { console: 1, exit: 2 }.console`,
  'src/core/branches.ts': [
    'export function size(x: number) {',
    '  if (x === 1) return 1',
    '  else if (x === 2) return 2',
    '  else if (x === 3) return 3',
    '  else if (x === 4) {',
    '    for (;;) { if (x) { return 4 } }',
    '  }',
    repeat(70, () => '  // a comment is no code\n'),
    '}',
    repeat(286, (index) => `export const n${index} = 0`),
  ].join('\n'),
  'src/issuer/mint.ts': `import { word } from '../core/word.ts'\nimport { SignJWT } from 'jose/jwt/sign'\nimport tool from '@scope/tool/deep'\nexport const mint = [word, SignJWT, tool]`,
  'src/verify/jwt.ts': `import { word } from '../core/word.ts'\nexport const verify = word`,
  'src/verify/jwt.test.ts': `import { expect } from 'vitest'\nimport { mint } from '../issuer/mint.ts'\nconsole.log(expect, mint, Date.now(), process.env)`,
  'src/http/gate.test.ts': `import { source } from '../client/source.ts'\nexport const seen = source`,
  'src/http/gate.ts': `import type { verify } from '../verify/jwt.ts'\n/** The gate. */\nexport const gate = async () => (await import('../core/word.ts')) as typeof verify`,
  'src/http/adapters/express.ts': `import type { Handler } from 'express'\nexport const adapter = (handler: Handler) => handler`,
  'src/client/source.ts': `import { word } from '../core/word.ts'\n/** Where tokens come from. */\nconst here = word\nexport { here as source }`,
  'src/client/sources/env.ts': 'export const env = () => globalThis.process.env',
  'src/server/index.ts': `import { gate } from '../http/gate.ts'\n/** A server. */\nexport function server(x: string): void\nexport function server(x: unknown) {\n  gate()\n}\nexport { SignJWT } from 'jose'`,
  'src/cli/main.ts': `import { server } from '../server/index.ts'\nconst name = './x.ts'\nconsole.log(server, process.env, await import(name))\nprocess.exit(1)`,
  'src/testing/contract.ts': `import { verify } from '../verify/jwt.ts'\nexport const contract = verify`,
  'test/a.test.ts': `import { it } from 'vitest'\nit.each([{ skip: true }])('skips nothing, it.only says so', () => {})`,
}

let trees = 0
function plant(changes: Files): string {
  const root = join(folder, `tree-${trees++}`)
  for (const [path, text] of Object.entries({ ...house, ...changes })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

function run(check: Check, ...args: readonly string[]) {
  const tool = fileURLToPath(new URL(`../../tools/${check}.mjs`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

function findings(check: Check, changes: Files): readonly Finding[] {
  const { status, stdout, stderr } = run(check, '--root', plant(changes), '--json')
  expect(stderr).toBe('')
  const found = JSON.parse(stdout) as Finding[]
  expect(status).toBe(found.length > 0 ? 1 : 0)
  return found
}

/** What is refused, the rule that says so, the file with the fault, its text, and the line of the fault when not 1. */
type Fault = readonly [what: string, rule: string, path: string, text: string, line?: number]

const badArrows: readonly Fault[] = [
  [
    'an upward import',
    'layer',
    'src/core/bad.ts',
    `\nimport { gate } from '../http/gate.ts'\nexport { gate as x }`,
    2,
  ],
  [
    'a sideways import',
    'layer',
    'src/http/bad.ts',
    `import { source } from '../client/source.ts'\nexport const x = source`,
  ],
  [
    'a sideways import between rooms of floor 1',
    'layer',
    'src/apikeys/bad.ts',
    `import { mint } from '../issuer/mint.ts'\nexport const x = mint`,
  ],
  [
    'an upward `import type`',
    'layer',
    'src/verify/bad.ts',
    `import type { gate } from '../http/gate.ts'\nexport type X = typeof gate`,
  ],
  ['an upward re-export', 'layer', 'src/client/bad.ts', `export { server } from '../server/index.ts'`],
  [
    'an upward `export type … from`',
    'layer',
    'src/client/bad.ts',
    `export type { server } from '../server/index.ts'`,
  ],
  [
    'an upward dynamic import',
    'layer',
    'src/core/bad.ts',
    `export const x = () => import('../verify/jwt.ts')`,
  ],
  [
    'an upward dynamic import in a template',
    'layer',
    'src/core/bad.ts',
    'export const x = () => import(`../verify/jwt.ts`)',
  ],
  ['an upward `import()` type', 'layer', 'src/core/bad.ts', `export type X = import('../verify/jwt.ts').X`],
  ['an upward import on a detour', 'layer', 'src/core/bad.ts', `import '../core/./../verify/jwt.js'`],
  ['an upward import of a unit test', 'layer', 'src/core/bad.test.ts', `import '../verify/jwt.ts'`],
  ['an import of the testing room', 'layer', 'src/cli/bad.ts', `import '../testing/contract.ts'`],
  [
    'an import of the testing room in a unit test',
    'layer',
    'src/cli/bad.test.ts',
    `import '../testing/contract.ts'`,
  ],
  [
    'an import of a high floor in the testing room',
    'layer',
    'src/testing/bad.ts',
    `import '../http/gate.ts'`,
  ],
  [
    'an import of the entrance',
    'layer',
    'src/cli/bad.ts',
    `import { word } from '../index.ts'\nexport const x = word`,
  ],
  ['a high floor in the entrance', 'layer', 'src/index.ts', `export { server } from './server/index.ts'`],
  ['an import from outside src', 'outside', 'src/core/bad.ts', `import '../../test/a.test.ts'`],
  ['a file in no room', 'room', 'src/attic/bad.ts', 'export const x = 1'],
  ['a file beside the rooms', 'room', 'src/bad.ts', 'export const x = 1'],
  ['a file that imports itself', 'cycle', 'src/core/bad.ts', `import './bad.ts'`],
  [
    'an optional peer in the wrong file',
    'peer',
    'src/http/bad.ts',
    `import type { Handler } from 'express'\nexport type X = Handler`,
  ],
  ['an optional peer that no file has', 'peer', 'src/apikeys/bad.ts', `export const x = () => import('pg')`],
  ['an undeclared package', 'undeclared', 'src/core/bad.ts', `import 'left-pad'`],
  ['a development dependency outside tests', 'undeclared', 'src/core/bad.ts', `import 'vitest'`],
  ['a package next to a declared one', 'undeclared', 'src/core/bad.ts', `import '@scope/other'`],
  ['a required package', 'undeclared', 'src/core/bad.ts', `export const x = require('left-pad')`],
  ['input and output in core', 'core-builtin', 'src/core/bad.ts', `import 'node:fs'`],
  ['the package under its own name', 'own-name', 'src/core/bad.ts', `import 'house/server'`],
  ['the package under its own name in a unit test', 'own-name', 'src/core/bad.test.ts', `import 'house'`],
  [
    'a module name that is computed',
    'computed',
    'src/core/bad.ts',
    `export const x = (name: string) => import('../' + name)`,
  ],
  ['export *', 'export-all', 'src/core/bad.ts', `export * from './word.ts'`],
  ['export * as', 'export-all', 'src/core/bad.ts', `export * as words from './word.ts'`],
  ['a file that does not parse', 'syntax', 'src/core/bad.ts', 'export const ='],
]

describe('the layer check', () => {
  it('passes a house that keeps the rules', () => {
    expect(findings('check-layers', {})).toEqual([])
  })

  for (const [what, rule, path, text, line = 1] of badArrows) {
    it(`refuses ${what}`, () => {
      expect(findings('check-layers', { [path]: text })).toMatchObject([{ rule, path, line }])
    })
  }

  it('refuses a cycle over three files and names it', () => {
    const found = findings('check-layers', {
      'src/core/a.ts': `import './b.ts'`,
      'src/core/b.ts': `import { type x } from './c.ts'\nexport type X = typeof x`,
      'src/core/c.ts': `export * as y from 'jose'\nexport { y as x } from './a.ts'`,
    })
    const cycle = found.filter(({ rule }) => rule === 'cycle')
    expect(cycle).toMatchObject([{ path: 'src/core/c.ts', line: 2 }])
    expect(cycle[0]?.message).toContain('src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts')
  })

  it('tells no cycle where only types or a later import() go back', () => {
    const found = findings('check-layers', {
      'src/core/a.ts': `import './b.ts'`,
      'src/core/b.ts': `import type { x } from './a.ts'\nexport type { y } from './a.ts'\nexport const z = () => import('./a.ts') as typeof x`,
    })
    expect(found).toEqual([])
  })
})

const options = (count: number) => repeat(count, (index) => `  readonly option${index}?: string`)

const badCode: readonly Fault[] = [
  ['any', 'any', 'src/core/bad.ts', 'export const x: any = 1'],
  ['as any', 'any', 'src/core/bad.ts', '\nexport const x = 1 as any', 2],
  ['any as a type argument in a test', 'any', 'test/bad.test.ts', 'export const x: any[] = []'],
  ['@ts-ignore', 'suppression', 'src/core/bad.ts', '// @ts-ignore\nexport const x: string = 1'],
  [
    '@ts-expect-error in a test',
    'suppression',
    'src/core/bad.test.ts',
    '/* @ts-expect-error */\nexport const x: string = 1',
  ],
  ['@ts-nocheck', 'suppression', 'test/bad.test.ts', '// @ts-nocheck'],
  ['biome-ignore', 'suppression', 'src/core/bad.ts', '\n// biome-ignore lint: no\nexport const x = 1', 2],
  ['eslint-disable', 'suppression', 'src/core/bad.ts', '/* eslint-disable-next-line */\nexport const x = 1'],
  ['a file of 301 lines', 'file', 'src/core/bad.ts', repeat(301, (index) => `export const n${index} = 0`)],
  [
    'an adapter of 61 lines',
    'file',
    'src/http/adapters/bad.ts',
    repeat(61, (index) => `export const n${index} = 0`),
  ],
  [
    'a function of 61 lines',
    'function',
    'src/core/bad.ts',
    `export function f() {\n${repeat(59, () => '  f()')}\n}`,
  ],
  [
    'a method of 61 lines',
    'function',
    'src/core/bad.ts',
    `export class A {\n  a() {\n${repeat(59, () => '  1')}\n  }\n}`,
    2,
  ],
  [
    'an arrow function of 61 lines',
    'function',
    'src/core/bad.ts',
    `export const f = () => {\n${repeat(59, () => '  f()')}\n}`,
  ],
  [
    'nesting four deep',
    'nesting',
    'src/core/bad.ts',
    'export function f(x: number) {\n  if (x) {\n    for (;;) {\n      try {\n        while (x) {}\n      } finally {}\n    }\n  }\n}',
    5,
  ],
  [
    'nesting four deep in an else if',
    'nesting',
    'src/core/bad.ts',
    'if (1) {} else if (2) {\n  switch (3) {\n    case 3: do {\n      for (const x of []) x\n    } while (0)\n  }\n}',
    4,
  ],
  ['eleven options', 'options', 'src/core/bad.ts', `export interface BadOptions {\n${options(11)}\n}`],
  [
    'eleven options in a type',
    'options',
    'src/core/bad.ts',
    `export type BadOptions = Readonly<{\n${options(11)}\n}>`,
  ],
  [
    'eleven options, ten of them inherited',
    'options',
    'src/core/bad.ts',
    `import type { WordOptions } from './word.ts'\nexport interface BadOptions extends WordOptions {\n  more: string\n}`,
    2,
  ],
  [
    'eleven options in an intersection',
    'options',
    'src/core/bad.ts',
    `import type { WordOptions } from './word.ts'\nexport type BadOptions = WordOptions & { more: string }`,
    2,
  ],
  [
    'an option bag inside an option bag',
    'options',
    'src/core/bad.ts',
    'export interface BadOptions {\n  retry?: { times: number }\n}',
    2,
  ],
  [
    'a list of option bags',
    'options',
    'src/core/bad.ts',
    'export type BadOptions = {\n  hooks?: readonly { name: string }[]\n}',
    2,
  ],
  ['console', 'reaching', 'src/core/bad.ts', 'export const f = () => console.log(1)'],
  ['globalThis.console', 'reaching', 'src/core/bad.ts', 'export const f = globalThis.console'],
  [
    'console taken out of globalThis',
    'reaching',
    'src/core/bad.ts',
    `export const f = globalThis['console'].log`,
  ],
  ['node:console', 'reaching', 'src/core/bad.ts', `import { log } from 'node:console'\nexport const f = log`],
  ['console behind a cast', 'reaching', 'src/core/bad.ts', `export const f = (console as unknown)`],
  ['process.env', 'reaching', 'src/client/bad.ts', 'export const x = process.env.TOKEN'],
  [
    'process.env in a name that begins like an allowed one',
    'reaching',
    'src/client/sources/env.ts.ts',
    'export const x = process.env',
  ],
  [
    'globalThis.process.env',
    'reaching',
    'src/client/bad.ts',
    'export const x = globalThis.process?.env.TOKEN',
  ],
  [`process['env']`, 'reaching', 'src/client/bad.ts', `export const x = process['env']`],
  ['env taken out of process', 'reaching', 'src/client/bad.ts', 'export const { env } = process'],
  [
    'env taken out of globalThis',
    'reaching',
    'src/client/bad.ts',
    'export const { process: { env } } = globalThis',
  ],
  [
    'env of node:process',
    'reaching',
    'src/client/bad.ts',
    `import { env } from 'node:process'\nexport const x = env`,
  ],
  ['process.exit, even in another file of cli', 'reaching', 'src/cli/bad.ts', 'process.exit(1)'],
  ['globalThis.process.exit', 'reaching', 'src/cli/bad.ts', 'globalThis.process.exit(1)'],
  ['Date.now', 'reaching', 'src/http/bad.ts', 'export const x = Date.now()'],
  ['Date.now passed on', 'reaching', 'src/http/bad.ts', 'export const x = globalThis.Date.now'],
  ['new Date()', 'reaching', 'src/cli/bad.ts', 'export const x = new Date()'],
  ['new Date without parentheses', 'reaching', 'src/cli/bad.ts', 'export const x = new Date'],
  ['performance.now', 'reaching', 'src/http/bad.ts', 'export const x = performance.now()'],
  ['it.skip', 'idle-test', 'src/core/bad.test.ts', `it.skip('x', () => {})`],
  ['describe.only', 'idle-test', 'test/deep/bad.test.ts', `\ndescribe.only('x', () => {})`, 2],
  ['it.todo', 'idle-test', 'test/bad.test.ts', `it.todo('x')`],
  ['test.each.skip', 'idle-test', 'test/bad.test.ts', `test.concurrent.skip.each([1])('x', () => {})`],
  ['it.skipIf', 'idle-test', 'test/bad.test.ts', `it.skipIf(true)('x', () => {})`],
  ['it.fails', 'idle-test', 'test/bad.test.ts', `it.fails('x', () => {})`],
  ['xit', 'idle-test', 'test/bad.test.ts', `xit('x', () => {})`],
  ['a test with the option skip', 'idle-test', 'test/bad.test.ts', `it('x', { skip: true }, () => {})`],
  ['skip() of the test context', 'idle-test', 'test/bad.test.ts', `it('x', (ctx) => ctx.skip())`],
  [
    'a focused test in a helper',
    'idle-test',
    'test/helper.ts',
    `export const f = () => it.only('x', () => {})`,
  ],
  ['an undocumented function', 'docstring', 'src/server/index.ts', 'export function server() {}'],
  ['an undocumented type', 'docstring', 'src/server/index.ts', '\nexport type Server = string', 2],
  [
    'an undocumented class behind a name',
    'docstring',
    'src/server/index.ts',
    'class A {}\nexport { A as Server }',
  ],
  [
    'a comment that is no docstring',
    'docstring',
    'src/server/index.ts',
    '/* A server. */\nexport const server = 1',
    2,
  ],
  ['an empty docstring', 'docstring', 'src/server/index.ts', '/** */\nexport const server = 1', 2],
  [
    'a docstring of something else',
    'docstring',
    'src/server/index.ts',
    '/** One. */\nconst one = 1\nexport const two = one',
    3,
  ],
]

describe('the budget check', () => {
  it('passes a house that keeps the budgets', () => {
    expect(findings('check-budgets', {})).toEqual([])
  })

  for (const [what, rule, path, text, line = 1] of badCode) {
    it(`refuses ${what}`, () => {
      expect(findings('check-budgets', { [path]: text })).toMatchObject([{ rule, path, line }])
    })
  }

  it('follows named re-exports to the declaration without a docstring', () => {
    const found = findings('check-budgets', {
      'src/server/index.ts': `import { a } from './a.ts'\nexport { a }\nexport { b } from './a.ts'`,
      'src/server/a.ts': `export { c as a } from './c.ts'\nexport * from './b.ts'`,
      'src/server/b.ts': '/** Documented. */\nexport const other = 1\nexport interface b {}',
      'src/server/c.ts': 'export const c = 1',
    })
    expect(found).toMatchObject([
      { rule: 'docstring', path: 'src/server/b.ts', line: 3 },
      { rule: 'docstring', path: 'src/server/c.ts', line: 1 },
    ])
  })

  it('refuses a subpath whose source does not exist', () => {
    const manifest = JSON.stringify({ name: 'house', exports: { './gone': './dist/gone/index.js' } })
    expect(findings('check-budgets', { 'package.json': manifest })).toMatchObject([
      { rule: 'missing-entry', path: 'package.json' },
    ])
  })
})

describe.each(['check-layers', 'check-budgets'] as const)('%s as a command', (check) => {
  it('prints one line and exits with 0 when all is well', () => {
    const { status, stdout } = run(check, '--root', plant({}))
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  it('prints path, line, fault and remedy, and exits with 1', () => {
    const fault = `import './word.ts'\nimport 'left-pad'\nexport const x = Date.now()\n`
    const { status, stdout } = run(check, '--root', plant({ 'src/core/bad.ts': fault }))
    expect(status).toBe(1)
    expect(stdout).toMatch(/^src\/core\/bad\.ts:[23]: .+; .+$/m)
  })

  it('does not pass a folder that holds nothing to check, nor an unknown option', () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty, { recursive: true })
    expect(run(check, '--root', empty).status).toBe(2)
    expect(run(check, '--rot', empty).status).toBe(2)
  })

  it('passes this repository', () => {
    const { status, stdout } = run(check)
    expect(stdout).toMatch(/nothing to say\n$/)
    expect(status).toBe(0)
  })
})
