import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'dist', 'cli', 'main.js')
/** Installing, compiling and testing takes a while where others are at work. */
const patience = 240_000
let folder: string
let tarball: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-init-'))
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
  })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  tarball = join(folder, filename)
}, patience)
afterAll(() => rm(folder, { recursive: true }))

/** What `npm run` tells the programs it starts is not for the npm of another project. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(?:cache|registry|userconfig)$)/i.test(name),
  ),
)

/** A new project, with the packed package and its dependencies from the registry, and what its own test said. */
async function newProject(name: string, ...argv: string[]): Promise<{ project: string; tested: string }> {
  const project = join(folder, name)
  await run(process.execPath, [main, 'init', project, '--package', `file:${tarball}`, ...argv])
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: project, env })
  const { stdout } = await run('npm', ['test'], { cwd: project, env })
  return { project, tested: stdout }
}

/** The command, as `npx mcp-bearer` finds it in a project. */
function bearer(project: string, argv: readonly string[], more: Record<string, string> = {}) {
  const installed = join(project, 'node_modules', 'mcp-bearer', 'dist', 'cli', 'main.js')
  return run(process.execPath, [installed, ...argv], { cwd: project, env: { ...env, ...more } })
}

/** A program that runs until it is stopped, and what it said on its first line that matches. */
async function started(child: ChildProcess, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const [, found] = pattern.exec(line) ?? []
    if (found !== undefined) return found
  }
  throw new Error(`it ended without saying ${pattern}`)
}

async function stop(...children: ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await ended
  }
}

function start(project: string, argv: readonly string[], more: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [...argv], {
    cwd: project,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

describe('a project of mcp-bearer init', () => {
  it(
    'with API keys: installs, compiles, passes its test, and does what its README says',
    async () => {
      const { project, tested } = await newProject('with-keys')
      expect(tested).toMatch(/pass 5\n.*fail 0/)
      const made = await bearer(project, [
        ...[
          'keys',
          'create',
          '--db',
          'keys.db',
          '--name',
          'laptop',
          '--owner',
          'alice',
          '--scope',
          'math:use',
        ],
        '--quiet',
      ])
      const KEY = made.stdout.trim()
      const server = start(project, ['dist/main.js'], { PORT: '0' })
      try {
        const url = await started(server, /^Listening on (http:\S+)$/)
        const call = (...argv: string[]) =>
          bearer(project, ['call', url, ...argv, '--auth', 'env:KEY'], { KEY })
        expect((await call('whoami')).stdout).toContain('alice')
        expect((await call('add', 'a:=1', 'b:=2')).stdout).toContain('3')
        await expect(bearer(project, ['call', url, 'whoami'])).rejects.toMatchObject({ code: 10 })
      } finally {
        await stop(server)
      }
    },
    patience,
  )

  it(
    'with JWTs: installs, compiles, passes its test, and does what its README says',
    async () => {
      const { project, tested } = await newProject('with-tokens', '--auth', 'jwt')
      expect(tested).toMatch(/pass 5\n.*fail 0/)
      await expect(run(process.execPath, ['dist/main.js'], { cwd: project, env })).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ISSUER is not set. Copy .env.example to .env'),
      })

      const cli = join(project, 'node_modules', 'mcp-bearer', 'dist', 'cli', 'main.js')
      const issuer = start(project, [cli, 'issuer', '--key', 'issuer.pem', '--port', '0'])
      const children = [issuer]
      try {
        const ISSUER = await started(issuer, /^ +issuer +(http:\S+)$/)
        // The file says where the audience is; what is set outside of it wins.
        await cp(join(project, '.env.example'), join(project, '.env'))
        const server = start(project, ['dist/main.js'], { PORT: '0', ISSUER })
        children.push(server)
        const url = await started(server, /^Listening on (http:\S+)$/)
        const mint = ['token', 'mint', '--key', 'issuer.pem', '--issuer', ISSUER, '--audience', 'with-tokens']
        const { stdout } = await bearer(project, [...mint, '--subject', 'alice', '--scope', 'math:use'])
        const TOKEN = stdout.trim()
        const call = (...argv: string[]) =>
          bearer(project, ['call', url, ...argv, '--auth', 'env:TOKEN'], { TOKEN })
        expect((await call('whoami')).stdout).toContain('alice')
        expect((await call('add', 'a:=1', 'b:=2')).stdout).toContain('3')
        const asked = ['token', 'verify', 'env:TOKEN', '--issuer', ISSUER, '--audience', 'with-tokens']
        expect((await bearer(project, asked, { TOKEN })).stdout).toMatch(/^Good/)
      } finally {
        await stop(...children)
      }
      // What the README and the issuer ask for is never committed.
      expect(await readFile(join(project, '.gitignore'), 'utf8')).toContain('*.pem')
    },
    patience,
  )
})
