// The programs that take part, each started as its documentation has it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cli } from './credentials.mjs'
import { freePort, listeningUrl, printedUrl, readyUrl, startProgram, targetFile } from './processes.mjs'

const installed = (path) => fileURLToPath(new URL(`../../.gateway/node_modules/${path}`, import.meta.url))
const others = {
  supergateway: installed('supergateway/dist/index.js'),
  'mcp-proxy': installed('mcp-proxy/dist/bin/mcp-proxy.mjs'),
}

export const isInstalled = (name) => existsSync(others[name])

async function withUrl(program, urlOf) {
  return { ...program, url: await urlOf(program) }
}

/** The server that is reached over HTTP. */
export const startEcho = (folder) =>
  withUrl(startProgram('the echo server', [targetFile('echo-http')], { folder }), readyUrl)

export const startPipe = (url, folder) =>
  withUrl(startProgram('the pipe', [targetFile('pipe'), url], { folder }), readyUrl)

/**
 * The gateway, with its log in a file.
 * @param words what stands on its command line besides where it listens
 */
export function startProtect(words, folder) {
  const [own, command] = [words.slice(0, indexOfDashes(words)), words.slice(indexOfDashes(words))]
  const all = [cli, 'protect', ...own, '--listen', '127.0.0.1:0', '--json', ...command]
  return withUrl(startProgram('mcp-bearer protect', all, { folder }), printedUrl)
}

function indexOfDashes(words) {
  const at = words.indexOf('--')
  return at === -1 ? words.length : at
}

/** The command of the server that speaks stdio. */
export const stdioCommand = [process.execPath, targetFile('echo-stdio')]

/** A program of others in front of that server, with sessions; each writes as little as it can be told to. */
export async function startOther(name, folder) {
  const port = await freePort()
  const words = {
    supergateway: [
      ...['--stdio', stdioCommand.join(' '), '--outputTransport', 'streamableHttp', '--stateful'],
      ...['--port', port, '--logLevel', 'none'],
    ],
    'mcp-proxy': ['--port', port, '--host', '127.0.0.1', '--server', 'stream', '--', ...stdioCommand],
  }
  const program = startProgram(name, [others[name], ...words[name].map(String)], { folder })
  return withUrl(program, (started) => listeningUrl(started, port))
}

/** Servers that speak stdio, whose standard input is open. */
export const stdioPrograms = {
  direct: (_url, folder) =>
    startProgram('the echo over stdio', [targetFile('echo-stdio')], { folder, stdin: true }),
  connect: (url, folder, token) =>
    startProgram('mcp-bearer connect', [cli, 'connect', url, '--auth', 'env:BENCH_TOKEN'], {
      folder,
      stdin: true,
      env: { BENCH_TOKEN: token },
    }),
  supergateway: (url, folder, token) =>
    startProgram(
      'supergateway to stdio',
      [others.supergateway, '--streamableHttp', url, '--oauth2Bearer', token, '--logLevel', 'none'],
      { folder, stdin: true },
    ),
}
