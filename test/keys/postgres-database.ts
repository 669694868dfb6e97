import { afterAll, inject } from 'vitest'
import { createDatabase, startPostgres } from './postgres-server.ts'

/**
 * The URL of an empty database for one test file, on the server of the run, or on one of its own where the run has
 * none. To be called outside of tests: what it starts ends with the file.
 */
export async function testDatabase(): Promise<string> {
  const url = inject('postgresUrl') ?? (await ownServer())
  return await createDatabase(url)
}

let own: Promise<string> | undefined

function ownServer(): Promise<string> {
  own ??= startPostgres().then((server) => {
    afterAll(() => server.stop())
    return server.url
  })
  return own
}
