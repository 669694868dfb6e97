/**
 * Puts the packages that `npm run bench` and `npm run bench:keys` measure this one beside into `.bench/`: exact versions,
 * from the npm registry, no install script is run. What is there already stays.
 *
 * Why a folder of its own: nobody who works on the package needs two hundred packages of others in `node_modules`.
 *
 * usage: node tools/install-bench.mjs
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const target = fileURLToPath(new URL('../.bench/', import.meta.url))
const { devDependencies } = readJson(fileURLToPath(new URL('../package.json', import.meta.url)))

/** What is measured, with what its documentation uses. zod and jose are those that everything else is measured with. */
const dependencies = {
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
}

/** The benchmark is outside of this folder; what it imports through this file is found inside. */
const doorway = 'export const load = (name) => import(name)\n'

const missing = Object.entries(dependencies).filter(([name, version]) => installedVersion(name) !== version)
if (missing.length > 0) {
  say(`installing ${missing.map((pair) => pair.join('@')).join(', ')} …`)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, '.gitignore'), '*\n')
  writeJson(join(target, 'package.json'), { private: true, type: 'module', dependencies })
  npmInstall()
}
writeFileSync(join(target, 'load.mjs'), doorway)
say(`${Object.keys(dependencies).length} packages in ${target}${missing.length > 0 ? '' : ', were there'}`)

function say(text) {
  console.log(`install-bench: ${text}`)
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}

function installedVersion(name) {
  const manifest = join(target, 'node_modules', name, 'package.json')
  return existsSync(manifest) ? readJson(manifest).version : undefined
}

function npmInstall() {
  const words = [
    'install',
    '--prefix',
    target,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
  ]
  const { status, error } = spawnSync('npm', words, { cwd: target, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status === 0) return
  // Half an installation would look like a whole one to whoever only asks for the versions.
  rmSync(target, { recursive: true, force: true })
  throw new Error(`npm ${words.join(' ')} failed: ${error?.message ?? `exit code ${status}`}`)
}
