import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const [, section = ''] = /## API keys in ten lines\n(.*?)\n## /s.exec(readme) ?? []

let folder: string | undefined
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

describe('API keys in ten lines, in the README', () => {
  it('is the program of examples/keys/server.ts', () => {
    const [, shown = ''] = /```ts\n(.*?)```/s.exec(section) ?? []
    const program = readFileSync(join(root, 'examples/keys/server.ts'), 'utf8')
    const port = 'port: Number(process.env.PORT ?? 8000)'
    // The port can be chosen there, and the first and the last line say what it is and that it runs.
    const same = program.replace(port, 'port: 8000').split('\n').slice(1, -2).join('\n')
    expect(`${same}\n`).toBe(shown)
  })

  it('goes from nothing to a protected server with a rotated and a revoked key, by its commands alone', async () => {
    const [, commands = ''] = /```sh\n(.*?)```/s.exec(section) ?? []
    folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-readme-'))
    for (const name of ['package.json', 'node_modules', 'build', 'dist'])
      symlinkSync(join(root, name), join(folder, name))
    const { stdout, stderr, code } = await inShell(scriptOf(commands), folder)
    const said = stdout.split('\n').filter((line) => line !== '')
    expect(said.filter((line) => line.includes('Hello alice'))).toHaveLength(2)
    expect(stderr).toContain('Token is invalid or expired')
    expect(code).toBe(11)
  })
})

/**
 * The commands as they stand there, but for what this run has done already (installing, building), and the port, which
 * may be taken: the server is asked for a free one.
 */
function scriptOf(commands: string): string {
  const [install, start, ...rest] = commands.trim().split('\n')
  expect(install).toBe('npm ci && npm run build && npm run build:examples')
  expect(start).toBe('node build/examples/keys/server.js &')
  return [
    'set -eu',
    // A fifo: the line that names the address is waited for, and nothing else.
    'mkfifo address',
    'PORT=0 node build/examples/keys/server.js > address & SERVER=$!',
    "trap 'kill $SERVER' EXIT",
    'read -r _listening _on URL < address',
    ...rest.map((line) => line.replaceAll('http://127.0.0.1:8000/mcp', '$URL')),
  ].join('\n')
}

async function inShell(
  script: string,
  cwd: string,
): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await run('sh', ['-c', script], { cwd })), code: 0 }
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number }
  }
}
