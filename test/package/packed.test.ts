import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
let project: string
let packed: string

/** A project that has nothing but the packed package and its runtime dependencies. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'mcp-bearer-packed-'))
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
  })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await run('tar', ['-xzf', filename], { cwd: project })
  packed = join(project, 'node_modules', 'mcp-bearer')
  await mkdir(join(project, 'node_modules'))
  await cp(join(project, 'package'), packed, { recursive: true })
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.startsWith('.'))
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
})
afterAll(() => rm(project, { recursive: true }))

async function exported(): Promise<[string, { types: string; default: string }][]> {
  const { exports } = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string; default: string } | string>
  }
  return Object.entries(exports).filter(
    (entry): entry is [string, { types: string; default: string }] => typeof entry[1] === 'object',
  )
}

async function inProject(program: string): Promise<string> {
  await writeFile(join(project, 'program.mjs'), program)
  return (await run(process.execPath, ['program.mjs'], { cwd: project })).stdout.trim()
}

describe('the packed package', () => {
  it('holds every file its exports name, and no test', async () => {
    for (const [, { types, default: code }] of await exported()) {
      await readFile(join(packed, types))
      await readFile(join(packed, code))
    }
    const files = await readdir(packed, { recursive: true })
    expect(files.filter((name) => /\.test\.|\.tsbuildinfo|node_modules/.test(name))).toEqual([])
    expect(files).toContain('LICENSE')
  })

  it('can be imported by every subpath, and AuthError is one class in all of them', async () => {
    const names = (await exported()).map(([path]) => path.replace('.', 'mcp-bearer'))
    const program = `
      const modules = await Promise.all(${JSON.stringify(names)}.map(name => import(name)))
      const classes = new Set(modules.map(module => module.AuthError).filter(Boolean))
      console.log(modules.every(module => Object.keys(module).length > 0), classes.size)
    `
    expect(await inProject(program)).toBe('true 1')
  })

  it('loads neither the SDK nor a framework by being imported', async () => {
    // A project in which there is nothing else: whatever an import needed would be missing.
    const bare = join(project, 'bare')
    await cp(packed, join(bare, 'node_modules', 'mcp-bearer'), { recursive: true })
    const names = (await exported()).map(([path]) => path.replace('.', 'mcp-bearer'))
    await writeFile(join(bare, 'program.mjs'), names.map((name) => `await import('${name}')`).join('\n'))
    await run(process.execPath, ['program.mjs'], { cwd: bare })
  })

  it('compiles for a consumer, declarations included', async () => {
    const imports = (await exported()).map(
      ([path], index) => `export * as m${index} from '${path.replace('.', 'mcp-bearer')}'`,
    )
    await writeFile(join(project, 'consumer.ts'), imports.join('\n'))
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
      '--skipLibCheck',
      'false',
    ]
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout } = await run(process.execPath, [tsc, ...flags, 'consumer.ts'], { cwd: project })
    expect(stdout).toBe('')
  })

  it('has a command that says what it can do', async () => {
    const { stdout } = await run(process.execPath, [join(packed, 'dist', 'cli', 'main.js'), '--help'], {
      cwd: project,
    })
    expect(stdout).toContain('demo')
  })
})
