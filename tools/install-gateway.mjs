/**
 * Puts servers, a host and gateways of others into `.gateway/`: the real things that `npm run test:gateway` stands in
 * front of and behind, and those that `npm run bench:gateway` measures this package beside. Which Node runs those that
 * need a newer one is written to `.gateway/node.json`.
 *
 * usage: node tools/install-gateway.mjs
 *   RUNTIME_NODE_24=/path/to/node takes that Node where the one that runs this is too old.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from './install-packages.mjs'
import { findNode, spareNode, spareNodeIn } from './spare-node.mjs'

const target = fileURLToPath(new URL('../.gateway/', import.meta.url))
/** The inspector does not start on an older one. */
const node = findNode('22.19.0')

installPackages('install-gateway', target, {
  ...(node === undefined && { [spareNode.name]: spareNode.version }),
  '@modelcontextprotocol/server-everything': '2026.8.31',
  '@modelcontextprotocol/server-filesystem': '2026.8.31',
  '@modelcontextprotocol/inspector': '2.12.0',
  supergateway: '4.0.0',
  'mcp-proxy': '6.7.19',
})
writeFileSync(join(target, 'node.json'), `${JSON.stringify({ node: node ?? spareNodeIn(target) })}\n`)
