import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's URL of the PostgreSQL that runs as long as the tests do. */
    postgresUrl: string
  }
}

/** One server for the whole run; each test file makes a database of its own with `testDatabase`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres()
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}
