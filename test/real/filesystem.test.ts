import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { Client, type Transport } from '@modelcontextprotocol/client'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { httpTransport, stdioTransport } from './everything-clients.ts'
import { installed } from './programs.ts'
import { afterThem, childrenOf, descriptorsOf, folder, type Gate, newKey, protect, until } from './protect.ts'

const server = installed('mcp-server-filesystem')

/** Folders of a machine: what the server may show, one part of it that everybody may read, and what is none of theirs. */
interface Disk {
  readonly shown: string
  readonly open: string
  readonly closed: string
  readonly outside: string
}

const atEnd = afterThem()
let disk: Disk
let db: string
let reader: string
let writer: string
let gate: Gate

beforeAll(async () => {
  const base = await folder(atEnd)
  disk = {
    shown: `${base}/shown`,
    open: `${base}/shown/open`,
    closed: `${base}/shown/closed`,
    outside: `${base}/outside`,
  }
  for (const path of Object.values(disk)) await mkdir(path, { recursive: true })
  await writeFile(`${disk.open}/note.txt`, 'for everybody')
  await writeFile(`${disk.closed}/secret.txt`, 'for writers')
  await writeFile(`${disk.outside}/machine.txt`, 'for nobody')
  await symlink(`${disk.outside}/machine.txt`, `${disk.open}/link.txt`)
  db = `${base}/keys.db`
  reader = await newKey(db, 'ada', 'read')
  writer = await newKey(db, 'bob', 'write')
  await writeFile(`${base}/gateway.json`, JSON.stringify(gatewayFile()))
  gate = await protect(['--config', `${base}/gateway.json`], {}, atEnd)
})

function gatewayFile() {
  const path = {
    pattern: `^${disk.open}(/[^/]+)*/?$`,
    not: { pattern: '(^|/)\\.\\.?(/|$)' },
  }
  return {
    command: [server, disk.shown],
    processes: { per: 'principal' },
    auth: { keys: db },
    policy: {
      rules: [
        {
          name: 'readers',
          who: { scopes: ['read'] },
          tools: ['read_*', 'list_directory', 'get_file_info', 'write_file'],
          readOnly: true,
          arguments: {
            '*': {
              properties: { path, paths: { items: path } },
              anyOf: [{ required: ['path'] }, { required: ['paths'] }],
            },
          },
        },
        { name: 'writers', who: { scopes: ['write'] }, tools: ['*'] },
      ],
    },
  }
}

interface Caller {
  readonly client: Client
  /** How often it was asked for its roots. */
  asked(): number
  /** The text of a result, and whether it is an error. */
  call(name: string, args?: Readonly<Record<string, unknown>>): Promise<{ text: string; failed: boolean }>
}

function caller(url: string, key: string, roots?: readonly string[]): Promise<Caller> {
  return callerOver(httpTransport(url, key), roots)
}

/** @param roots the folders that the client says are its own */
async function callerOver(transport: Transport, roots?: readonly string[]): Promise<Caller> {
  let asked = 0
  const client = new Client(
    { name: 'sdk', version: '1' },
    { capabilities: roots ? { roots: { listChanged: true } } : {} },
  )
  if (roots) {
    client.setRequestHandler('roots/list', () => {
      asked += 1
      return { roots: roots.map((path) => ({ uri: `file://${path}` })) }
    })
  }
  onTestFinished(() => client.close())
  await client.connect(transport)
  return {
    client,
    asked: () => asked,
    async call(name, args = {}) {
      const { content, isError } = await client.callTool({ name, arguments: args })
      return { text: (content as { text: string }[])[0]!.text, failed: isError === true }
    },
  }
}

describe('server-filesystem behind a policy', () => {
  test('shows each caller the tools they may use', async () => {
    const names = async (key: string) => {
      const { tools } = await (await caller(gate.url, key)).client.listTools()
      return tools.map(({ name }) => name)
    }
    expect((await names(reader)).sort()).toEqual([
      'get_file_info',
      'list_directory',
      'read_file',
      'read_media_file',
      'read_multiple_files',
      'read_text_file',
    ])
    expect(await names(writer)).toContain('write_file')
    expect(await names(writer)).toHaveLength(14)
  })

  test('lets a reader read below one folder, and a writer write anywhere', async () => {
    const ada = await caller(gate.url, reader)
    const bob = await caller(gate.url, writer)
    const note = `${disk.open}/note.txt`
    expect(await ada.call('read_text_file', { path: note })).toEqual({ text: 'for everybody', failed: false })
    const both = await ada.call('read_multiple_files', { paths: [note, note] })
    expect(both).toMatchObject({ failed: false, text: expect.stringContaining('for everybody') })
    expect((await ada.call('list_directory', { path: disk.open })).text).toContain('note.txt')
    const secret = await bob.call('read_text_file', { path: `${disk.closed}/secret.txt` })
    expect(secret.text).toBe('for writers')
    const written = await bob.call('write_file', { path: `${disk.closed}/new.txt`, content: 'new' })
    expect(written.failed).toBe(false)
    expect(await readFile(`${disk.closed}/new.txt`, 'utf8')).toBe('new')
  })

  test('tells a reader what a path must be, and never what else there is', async () => {
    const ada = await caller(gate.url, reader)
    const tricks = [
      `${disk.closed}/secret.txt`,
      `${disk.open}/../closed/secret.txt`,
      `${disk.open}/./../closed/secret.txt`,
      `${disk.open}/..`,
      `${disk.open}//../closed/secret.txt`,
      `//${disk.closed.slice(1)}/secret.txt`,
      `${disk.open}x/../closed/secret.txt`,
      ` ${disk.closed}/secret.txt`,
      `"${disk.closed}/secret.txt"`,
      `${disk.open}/note.txt\n/../../closed/secret.txt`,
      `~/../..${disk.closed}/secret.txt`,
      'shown/closed/secret.txt',
      '',
    ]
    for (const path of tricks) {
      const { text, failed } = await ada.call('read_text_file', { path })
      expect([path, failed, text.includes('for writers')]).toEqual([path, true, false])
      expect(text).toMatch(/path/)
    }
    const others = [
      { paths: [`${disk.open}/note.txt`, `${disk.closed}/secret.txt`] },
      { path: `${disk.open}/note.txt`, paths: [`${disk.closed}/secret.txt`] },
    ]
    for (const args of others) {
      const { text, failed } = await ada.call('read_multiple_files', args)
      expect([args, failed, text.includes('for writers')]).toEqual([args, true, false])
    }
    const doubled = { path: `${disk.open}/note.txt`, PATH: `${disk.closed}/secret.txt` }
    expect(await ada.call('read_text_file', doubled)).toMatchObject({ failed: true })
    expect(await ada.call('read_text_file', { path: [`${disk.closed}/secret.txt`] })).toMatchObject({
      failed: true,
    })
  })

  test('does not let a reader write, although a rule names the tool: it is listed as one that writes', async () => {
    const ada = await caller(gate.url, reader)
    const path = `${disk.open}/new.txt`
    const lacking = { name: 'InsufficientScopeError', requiredScope: 'write' }
    await expect(ada.call('write_file', { path, content: 'x' })).rejects.toMatchObject(lacking)
    await expect(ada.call('move_file', { source: path, destination: path })).rejects.toMatchObject(lacking)
    await expect(readFile(path)).rejects.toThrow(/ENOENT/)
  })

  test('a client that says that the whole machine is its own is not believed', async () => {
    // This server takes the roots of its client instead of the folders it was started with.
    const path = `${disk.outside}/machine.txt`
    const environment = { PATH: process.env.PATH ?? '' }
    const straight = await callerOver(stdioTransport(server, [disk.shown], environment), ['/'])
    await until(async () => !(await straight.call('read_text_file', { path })).failed)

    const free = await protect(['--keys', db, '--', server, disk.shown])
    const ada = await caller(free.url, reader, ['/'])
    await ada.client.sendRootsListChanged()
    const { text } = await ada.call('list_allowed_directories')
    expect(text).toBe(`Allowed directories:\n${disk.shown}`)
    expect(await ada.call('read_text_file', { path })).toMatchObject({ failed: true })
    expect(ada.asked()).toBe(0)
  })

  test('--read-only without a file: whoever it is', async () => {
    const plain = await protect(['--keys', db, '--read-only', '--', server, disk.shown])
    const bob = await caller(plain.url, writer)
    const { tools } = await bob.client.listTools()
    expect(tools.map(({ annotations }) => annotations?.readOnlyHint)).toEqual(tools.map(() => true))
    expect(tools).toHaveLength(10)
    expect((await bob.call('read_text_file', { path: `${disk.closed}/secret.txt` })).text).toBe('for writers')
    const args = { path: `${disk.open}/new.txt`, content: 'x' }
    await expect(bob.call('write_file', args)).rejects.toMatchObject({ status: 403 })
  })
})

describe('two principals in front of server-filesystem', () => {
  test('FL-109 have a process each: no descriptor, variable or message crosses', async () => {
    const secrets = { SECRET_OF_GATEWAY: 'secret-of-gateway' }
    const words = ['--keys', db, '--per', 'principal', '--identity', 'env', '--', server, disk.shown]
    const own = await protect(words, secrets)
    const ada = await caller(own.url, reader)
    const bob = await caller(own.url, writer)
    const again = await caller(own.url, writer)
    for (const each of [ada, bob, again]) {
      const { text } = await each.call('list_allowed_directories')
      expect(text).toBe(`Allowed directories:\n${disk.shown}`)
    }

    const pids = await childrenOf(own.pid)
    expect(pids).toHaveLength(2)
    const everybody = [own.pid, ...pids]
    expect(await sharedBy(everybody)).toEqual([])
    const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8')))
    const subjects = environments.map((text) => /MCP_BEARER_SUBJECT=([^\0]*)/.exec(text)?.[1])
    expect(subjects.sort()).toEqual(['ada', 'bob'])
    for (const text of environments) {
      for (const secret of ['secret-of-gateway', reader, writer]) expect(text).not.toContain(secret)
    }
  })
})

/** The pipes, sockets and files that more than one of these processes has open. */
async function sharedBy(pids: readonly number[]): Promise<readonly string[]> {
  const namesOf = async (pid: number) => new Set((await descriptorsOf(pid)).values())
  // What whoever runs the tests has left open for every program.
  const inherited = await namesOf(process.pid)
  const all = await Promise.all(pids.map(namesOf))
  // An eventfd of libuv has the same name everywhere.
  const names = all.flatMap((some) =>
    [...some].filter((name) => /^(pipe|socket):|^\/(?!dev\/null$)/.test(name)),
  )
  return names.filter((name, at) => names.indexOf(name) !== at && !inherited.has(name))
}
