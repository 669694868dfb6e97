import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Puts packages into a folder of their own: exact versions, from the npm registry, no install script is run. What is
 * there already stays. What is outside of the folder imports them through its `load.mjs`.
 *
 * Why a folder of its own: nobody who works on the package needs hundreds of packages of others in `node_modules`.
 *
 * @param {string} owner what says so, in messages
 * @param {string} target the folder
 * @param {Readonly<Record<string, string>>} dependencies versions by name
 */
export function installPackages(owner, target, dependencies) {
  const say = (text) => console.log(`${owner}: ${text}`)
  const isThere = ([name, version]) => installedVersion(target, name) === version
  const missing = Object.entries(dependencies).filter((pair) => !isThere(pair))
  if (missing.length > 0) {
    say(`installing ${missing.map((pair) => pair.join('@')).join(', ')} …`)
    rmSync(target, { recursive: true, force: true })
    mkdirSync(target, { recursive: true })
    writeFileSync(join(target, '.gitignore'), '*\n')
    const manifest = { private: true, type: 'module', dependencies }
    writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    npmInstall(target)
  }
  writeFileSync(join(target, 'load.mjs'), 'export const load = (name) => import(name)\n')
  const count = Object.keys(dependencies).length
  say(`${count} packages in ${target}${missing.length > 0 ? '' : ', were there'}`)
}

function installedVersion(target, name) {
  const manifest = join(target, 'node_modules', name, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined
}

function npmInstall(target) {
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
