import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { buildPage } from './tools/build-page.mjs'

// What the server shows of the inspector is made from its sources, as every build does.
await buildPage()

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** Tests import the package by its public names; the names resolve to the sources, so no build is needed. */
const alias = [
  { find: /^mcp-bearer$/, replacement: source('index.ts') },
  { find: /^mcp-bearer\/(node|express|hono|sdk)$/, replacement: source('http/adapters/$1.ts') },
  { find: /^mcp-bearer\/keys$/, replacement: source('apikeys/index.ts') },
  { find: /^mcp-bearer\/keys-admin$/, replacement: source('http/admin/index.ts') },
  {
    find: /^mcp-bearer\/(server|client|verify|issuer|gateway|inspector|testing)$/,
    replacement: source('$1/index.ts'),
  },
]

export default defineConfig({
  test: {
    projects: [
      { resolve: { alias }, test: { name: 'unit', include: ['src/**/*.test.ts'], testTimeout: 30_000 } },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          // A real PostgreSQL, one for the run.
          globalSetup: ['test/keys/postgres-setup.ts'],
          hookTimeout: 60_000,
          exclude: [
            'test/endurance/**',
            'test/examples/**',
            'test/package/**',
            'test/curl/**',
            'test/runtimes/**',
            'test/browser/**',
            'test/real/**',
          ],
          testTimeout: 30_000,
        },
      },
      // Examples and the demo run as a user runs them: the built package, in a process of its own.
      {
        test: {
          name: 'examples',
          include: ['test/examples/**/*.test.ts', 'test/package/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      // Kills, outages and load: processes of their own, minutes long.
      {
        test: {
          name: 'endurance',
          include: ['test/endurance/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
      // The built package on other runtimes, which `npm run test:runtimes` installs first.
      {
        test: {
          name: 'runtimes',
          include: ['test/runtimes/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      // Pages in a real browser, which has to be installed.
      {
        resolve: { alias },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      // In front of servers of others, and behind a host of others, which `npm run test:gateway` installs first.
      {
        test: {
          name: 'gateway',
          include: ['test/real/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'curl', include: ['test/curl/**/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
})
