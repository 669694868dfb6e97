/**
 * Puts the official conformance suite into `.conformance/`: an exact version, from the npm registry, without install
 * scripts. What is there already stays. Which Node runs it is written to `.conformance/suite.json`.
 *
 * Why a folder of its own: the suite needs Node 22 or newer, and an SDK of another line than the package's.
 *
 * usage: node tools/install-conformance.mjs
 *   RUNTIME_NODE_24=/path/to/node takes that Node where the one that runs this is too old.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode, spareNode, spareNodeIn } from './spare-node.mjs'

const suite = { name: '@modelcontextprotocol/conformance', version: '0.2.0-alpha.12' }
/** The suite does not start on an older one. */
const oldestNode = '22.0.0'

const target = fileURLToPath(new URL('../.conformance/', import.meta.url))

mkdirSync(target, { recursive: true })
writeFileSync(join(target, '.gitignore'), '*\n')
install(suite)
const node = findNode(oldestNode) ?? installedNode()
const cli = join(packageFolder(suite), 'dist/index.js')
const { status, stdout, stderr } = spawnSync(node, [cli, '--version'], { encoding: 'utf8', timeout: 60_000 })
if (status !== 0) throw new Error(`the suite does not start on ${node}: ${stderr}`)
writeFileSync(join(target, 'suite.json'), `${JSON.stringify({ ...suite, node, cli }, null, 2)}\n`)
say(`${suite.name} ${stdout.trim()}, on ${node}`)

function say(text) {
  console.log(`install-conformance: ${text}`)
}

function packageFolder({ name }) {
  return join(target, 'node_modules', name)
}

function installedNode() {
  install(spareNode)
  return spareNodeIn(target)
}

function install({ name, version }) {
  const manifest = join(target, 'node_modules', name, 'package.json')
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version) return
  say(`installing ${name} ${version} …`)
  const own = join(target, 'package.json')
  if (!existsSync(own)) writeFileSync(own, '{ "private": true }\n')
  const words = ['--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  // The Node that runs npm is not the one that runs the suite; npm would warn of it.
  const { status, error } = spawnSync(
    'npm',
    ['install', '--prefix', target, '--loglevel=error', ...words, `${name}@${version}`],
    {
      cwd: target,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  if (status !== 0)
    throw new Error(`npm install ${name}@${version} failed: ${error?.message ?? `exit code ${status}`}`)
}
