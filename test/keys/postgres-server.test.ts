import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

test('a real server starts, makes databases, comes back from every kind of end, and leaves nothing behind', async () => {
  const server = await startPostgres({ fsync: true })
  const { folder, pid } = await place(server)
  expect(existsSync(folder)).toBe(true)

  const url = await server.createDatabase()
  await ask(url, 'create table kept (value text)')
  for (const how of ['fast', 'immediate', 'kill'] as const) {
    await ask(url, `insert into kept values ('${how}')`)
    await server.restart(how)
  }
  expect(await ask(url, 'select value from kept order by value')).toEqual([
    { value: 'fast' },
    { value: 'immediate' },
    { value: 'kill' },
  ])
  await server.stop()
  await server.stop()

  expect(existsSync(folder)).toBe(false)
  expect(isRunning(pid)).toBe(false)
})

test('the server needs a password', async () => {
  const server = await startPostgres()
  const url = new URL(server.url)
  url.password = 'wrong'
  await expect(ask(url.href, 'select 1')).rejects.toThrow('password authentication failed')
  await server.stop()
})

test('a server that cannot start says why', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = address && typeof address === 'object' ? address.port : 0
  await expect(startPostgres({ port })).rejects.toThrow(/PostgreSQL does not start:[\s\S]*in use/)
  taken.close()
})

test('nothing is left of a server whose test run was killed', async () => {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('./postgres-server.ts', import.meta.url)),
    external: /^(?:node:|pg$)/,
  })
  const { output } = await bundle.generate()
  await bundle.close()
  const run = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `${output[0].code}\nprocess.stdout.write((await startPostgres()).url)\nsetInterval(() => {}, 1000)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = await Promise.race([
    once(run.stdout, 'data'),
    once(run, 'exit').then(() => expect.unreachable('it has ended before it was killed')),
  ])
  const { folder, pid } = await place({ url: String(said) })
  run.kill('SIGKILL')
  await expect.poll(() => isRunning(pid) || existsSync(folder), { timeout: 20_000 }).toBe(false)
})

async function place({ url }: Pick<PostgresServer, 'url'>) {
  const [row] = await ask(url, "select current_setting('data_directory') as data")
  const folder = dirname(String(row?.data))
  return { folder, pid: Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]) }
}

async function ask(url: string, sql: string): Promise<{ [column: string]: unknown }[]> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
