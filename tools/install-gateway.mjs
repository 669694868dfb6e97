/**
 * Puts servers, a host and gateways of others into `.gateway/`: the real things that `npm run test:gateway` stands in
 * front of and behind, and those that `npm run bench:gateway` measures this package beside.
 *
 * usage: node tools/install-gateway.mjs
 */
import { fileURLToPath } from 'node:url'
import { installPackages } from './install-packages.mjs'

installPackages('install-gateway', fileURLToPath(new URL('../.gateway/', import.meta.url)), {
  '@modelcontextprotocol/server-everything': '2026.8.31',
  '@modelcontextprotocol/server-filesystem': '2026.8.31',
  '@modelcontextprotocol/inspector': '2.12.0',
  supergateway: '4.0.0',
  'mcp-proxy': '6.7.19',
})
