/**
 * Puts the packages that `npm run bench` and `npm run bench:keys` measure this one beside into `.bench/`.
 *
 * usage: node tools/install-bench.mjs
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPackages } from './install-packages.mjs'

const { devDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** What is measured, with what its documentation uses. zod and jose are those that everything else is measured with. */
installPackages('install-bench', fileURLToPath(new URL('../.bench/', import.meta.url)), {
  tmcp: '1.20.0',
  '@tmcp/transport-http': '0.9.0',
  '@tmcp/adapter-zod': '0.1.7',
  '@remix-run/node-fetch-server': '0.14.2',
  fastmcp: '4.20.16',
  // The newest ones that the API keys say they work with: that wants these versions of what they have in common.
  'better-auth': '1.7.5',
  '@better-auth/core': '1.7.5',
  '@better-auth/api-key': '1.7.5',
  zod: devDependencies.zod,
  jose: devDependencies.jose,
})
