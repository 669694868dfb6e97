import { readFileSync } from 'node:fs'
import { lstat, mkdir, open } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../command.ts'
import { shellWord } from '../command-name.ts'
import { type AuthKind, authKinds, projectFiles } from '../init/project.ts'
import { oneOf } from '../keys/words.ts'
import { localCommand } from '../local-command.ts'
import { printableLine } from '../printable.ts'

/** `mcp-bearer init`: a small server that runs, with its test. */
export const init = localCommand({
  summary: 'write a small protected server to begin with',
  usage: 'init [folder] [--auth api-keys|jwt]',
  about: `Writes a project in TypeScript: an MCP server with two tools, one of them for a scope, and a test
that calls it with and without a token. A file that exists is left alone, and then none is
written. Nothing is asked, installed or sent.

  mcp-bearer init my-server
  mcp-bearer init my-server --auth jwt`,
  optionsHelp: `  --auth KIND         api-keys (otherwise): keys you make and revoke yourself, in a database;
                      jwt: tokens of an identity provider
  --name NAME         of the package and the server; otherwise that of the folder
  --package SPEC      what npm is to install as mcp-bearer; otherwise this version or a later one
                      that goes with it`,
  options: {
    auth: { type: 'string' },
    name: { type: 'string' },
    package: { type: 'string' },
  },
  words: [0, 1],
  async run({ values, words: [word = '.'] }) {
    const folder = resolve(word)
    const auth = oneOf(values.auth ?? 'api-keys', '--auth', authKinds)
    const project = { name: nameOf(values.name, folder), auth, package: specOf(values.package) }
    const files = projectFiles(project)
    await writeAll(folder, files)
    const paths = [...files.keys()]
    const next = nextCommands(word, auth)
    return {
      json: { folder, name: project.name, auth, files: paths, next },
      lines: [
        `A server with ${auth === 'jwt' ? 'tokens of an identity provider' : 'API keys'} is in ${folder}`,
        ...paths.map((path) => `  ${path}`),
        '',
        'Next',
        ...next.map((line) => `  ${line}`),
        '',
        'README.md says how to call it.',
      ],
    }
  },
})

/** What npm takes as a name, without a scope; it also stands in the code. */
const namePattern = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

function nameOf(given: string | undefined, folder: string): string {
  if (given !== undefined) {
    if (namePattern.test(given)) return given
    throw new UsageError('--name must be lower-case letters, digits and -, at most 64 of them')
  }
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
  return namePattern.test(name) ? name : 'mcp-server'
}

function specOf(given: string | undefined): string {
  if (given === undefined) return `^${ownVersion()}`
  if (given.trim() === '')
    throw new UsageError('--package must be a version, a range, or where the package is')
  return given
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** All of them, or none when one is there already. */
async function writeAll(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const there: string[] = []
  for (const path of files.keys()) if (await isThere(join(folder, path))) there.push(path)
  if (there.length > 0) {
    throw new UsageError(
      `nothing was written: ${printableLine(folder, 200)} has ${there.join(', ')} already. Name a new folder: mcp-bearer init my-server`,
    )
  }
  for (const [path, text] of files) await create(join(folder, path), text)
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw unwritable(path, error)
  }
}

/** Never into a file that somebody made in the meantime. */
async function create(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(path, 'wx')
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw unwritable(path, error)
  }
}

function unwritable(path: string, error: unknown): UsageError {
  const { code = 'no reason given' } = error as NodeJS.ErrnoException
  return new UsageError(`${printableLine(path, 200)} cannot be written (${code})`)
}

function nextCommands(word: string, auth: AuthKind): string[] {
  const enter = relative('', resolve(word)) === '' ? [] : [`cd ${shellWord(word)}`]
  const run =
    auth === 'jwt'
      ? [
          'npx mcp-bearer issuer --key issuer.pem',
          'cp .env.example .env && npm start   # in another terminal',
        ]
      : ['npx mcp-bearer keys create --db keys.db --name laptop --owner alice --scope math:use', 'npm start']
  return [...enter, 'npm install && npm test', ...run]
}
