import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { init } from '../../src/cli/commands/init.ts'
import { projectFiles } from '../../src/cli/init/project.ts'
import { run } from './support.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-init-'))
})
afterEach(() => rm(folder, { recursive: true }))

const at = (...names: string[]) => join(folder, ...names)
const text = (...names: string[]) => readFile(at(...names), 'utf8')
const manifest = async (...names: string[]) => JSON.parse(await text(...names, 'package.json'))
const own = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))

const all = [
  ...['package.json', 'tsconfig.json', '.gitignore', '.env.example', 'README.md'],
  ...['src/server.ts', 'src/main.ts', 'src/server.test.ts'],
]

async function written(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

describe('mcp-bearer init', () => {
  it.each(['api-keys', 'jwt'])('--auth %s writes a project, and says what to do next', async (auth) => {
    const ran = await run(init, [at('My Server'), '--auth', auth])
    expect([ran.exit, ran.err]).toEqual([0, ''])
    for (const path of all) {
      expect(ran.out).toContain(path)
      expect((await text('My Server', path)).endsWith('\n')).toBe(true)
    }
    expect(await manifest('My Server')).toMatchObject({
      name: 'my-server',
      dependencies: { 'mcp-bearer': `^${own.version}` },
    })
    expect(await text('My Server', 'src/server.ts')).toContain("name: 'my-server'")
    expect(ran.out).toContain(`cd '${at('My Server')}'`)
    expect(ran.out).toContain('npm install && npm test')
    expect(await text('My Server', 'README.md')).toContain(auth === 'jwt' ? 'token mint' : 'keys create')
  })

  it('asks nobody, and prints one JSON document for programs', async () => {
    const asked: string[] = []
    const onAsk = (question: string) => {
      asked.push(question)
      return ''
    }
    const ran = await run(init, [at('a'), '--json'], { onAsk })
    expect(asked).toEqual([])
    expect(ran.json()).toEqual({
      folder: at('a'),
      name: 'a',
      auth: 'api-keys',
      files: all,
      next: [`cd ${at('a')}`, 'npm install && npm test', expect.stringContaining('keys create'), 'npm start'],
    })
  })

  it.each(all)('writes nothing at all when %s exists', async (path) => {
    await mkdir(at('a', 'src'), { recursive: true })
    await writeFile(at('a', path), 'mine')
    const ran = await run(init, [at('a')])
    expect([ran.exit, ran.out]).toEqual([2, ''])
    expect(ran.err).toContain(`nothing was written: ${at('a')} has ${path} already`)
    expect(await written()).toHaveLength(1)
    expect(await text('a', path)).toBe('mine')
  })

  it('writes beside what is there, and not through a link', async () => {
    await writeFile(at('LICENSE'), 'mine')
    expect((await run(init, [folder, '--name', 'x'])).exit).toBe(0)
    expect(await text('LICENSE')).toBe('mine')
    await mkdir(at('b'))
    await symlink(at('nowhere'), at('b', 'README.md'))
    expect((await run(init, [at('b')])).exit).toBe(2)
    expect(await readdir(at('b'))).toEqual(['README.md'])
  })

  it('keeps what is secret out of the repository, and writes no secret itself', async () => {
    for (const auth of ['api-keys', 'jwt'] as const) {
      const files = projectFiles({ name: 'x', auth, package: '^1.0.0' })
      const ignored = files.get('.gitignore')?.split('\n')
      for (const name of ['.env', '*.pem', 'keys.db', 'node_modules']) expect(ignored).toContain(name)
      for (const line of files.get('.env.example')?.match(/^\w+=.*$/gm) ?? []) {
        expect(line).toMatch(
          /^(?:PORT=8000|MCP_BEARER_DB=keys\.db|ISSUER=http:\/\/127\.0\.0\.1:9000|AUDIENCE=x)$/,
        )
      }
    }
  })

  it('names ranges that this package is tested with', async () => {
    const major = (range: string) => /\d+/.exec(range)?.[0]
    const tested = { ...own.devDependencies, ...own.dependencies }
    await run(init, [at('a')])
    const { dependencies, optionalDependencies, devDependencies, engines } = await manifest('a')
    const named = { ...dependencies, ...optionalDependencies, ...devDependencies }
    for (const name of Object.keys(named).filter((each) => each !== 'mcp-bearer')) {
      expect([name, major(named[name])]).toEqual([name, major(tested[name])])
    }
    expect(engines.node).toBe(own.engines.node)
  })

  it('takes another name and another package', async () => {
    expect((await run(init, [at('a'), '--name', 'tools-2', '--package', 'file:../x.tgz'])).exit).toBe(0)
    expect(await manifest('a')).toMatchObject({
      name: 'tools-2',
      dependencies: { 'mcp-bearer': 'file:../x.tgz' },
    })
    expect((await run(init, [at('---')])).exit).toBe(0)
    expect(await manifest('---')).toMatchObject({ name: 'mcp-server' })
  })

  it.each([
    [['--auth', 'none'], '--auth must be one of api-keys, jwt'],
    [['--name', "x'); evil('"], '--name must be'],
    [['--name', '../x'], '--name must be'],
    [['--name', ''], '--name must be'],
    [['--package', ' '], '--package must be'],
    [['b'], 'too many words'],
  ])('writes nothing for %j', async (argv, why) => {
    const ran = await run(init, [at('a'), ...argv])
    expect([ran.exit, ran.out]).toEqual([2, ''])
    expect(ran.err).toContain(why)
    expect(await written()).toEqual([])
  })

  it('says what is in the way of a folder', async () => {
    await writeFile(at('file'), '')
    const ran = await run(init, [at('file', 'a')])
    expect(ran.exit).toBe(2)
    expect(ran.err).toContain('cannot be written (ENOTDIR)')
  })
})
