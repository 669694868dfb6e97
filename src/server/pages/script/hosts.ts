/** How each host is told of the server. The token is a variable everywhere: this page never sees one. */
export const hostsScript = String.raw`
/** "\u0024{name}", as most hosts write a variable. */
function variable(name) {
  return '$' + '{' + name + '}'
}

/** A text for a POSIX shell, whatever is in it. */
function shellQuoted(word) {
  return "'" + word.replace(/'/g, "'\\''") + "'"
}

/** A name that every host takes as a key, and every shell as a word. */
function hostName(name) {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40) || 'server'
}

/** { id, label, place, code, note } for each host: what to write, and where. "auth" is false when no token is needed. */
function hostsFor({ name, url, auth, method, revision }) {
  const key = hostName(name)
  return [
    libraryHost(url, auth), claudeHost(key, url, auth), codeHost(key, url, auth), cursorHost(key, url, auth),
    curlHost({ url, auth, method, revision }),
  ]
}

function pretty(value) {
  return JSON.stringify(value, undefined, 2)
}

function bearer(value) {
  return { Authorization: 'Bearer ' + value }
}

function libraryHost(url, auth) {
  const code = [
    "import { Client" + (auth ? ', envToken' : '') + " } from 'mcp-bearer/client'", '',
    'await using client = new Client(' + JSON.stringify(url) + (auth ? ", { auth: envToken('MCP_TOKEN') })" : ')'),
    'console.log(await client.listTools())',
  ]
  const note = auth ? 'The token is read from MCP_TOKEN for every request, and goes to this server only.' : ''
  return { id: 'mcp-bearer', label: 'mcp-bearer', place: 'TypeScript', code: code.join('\n'), note }
}

function claudeHost(key, url, auth) {
  const header = auth ? " \\\n  --header 'Authorization: Bearer " + variable('MCP_TOKEN') + "'" : ''
  const code = 'claude mcp add --scope project --transport http ' + key + ' ' + shellQuoted(url) + header
  const note = auth
    ? 'Single quotes: .mcp.json then holds the name of the variable and not the token. Set MCP_TOKEN where Claude Code starts.'
    : ''
  return { id: 'claude-code', label: 'Claude Code', place: 'In the project, writes .mcp.json', code, note }
}

function codeHost(key, url, auth) {
  const server = { type: 'http', url, ...(auth && { headers: bearer(variable('input:mcp-token')) }) }
  const input = { type: 'promptString', id: 'mcp-token', description: 'Access token for ' + key, password: true }
  const code = pretty({ ...(auth && { inputs: [input] }), servers: { [key]: server } })
  const note = auth ? 'VS Code asks for the token once and keeps it in its secret storage.' : ''
  return { id: 'vs-code', label: 'VS Code', place: '.vscode/mcp.json', code, note }
}

function cursorHost(key, url, auth) {
  const server = { url, ...(auth && { headers: bearer(variable('env:MCP_TOKEN')) }) }
  const note = auth ? 'Set MCP_TOKEN in the environment Cursor starts in.' : ''
  return { id: 'cursor', label: 'Cursor', place: '.cursor/mcp.json', code: pretty({ mcpServers: { [key]: server } }), note }
}

/** One request without a session in the revision that has none; before it, the one that opens a session. */
function curlHost({ url, auth, method, revision }) {
  const info = { name: 'curl', version: '1' }
  const isStateless = revision >= '2026-07-28'
  const meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientInfo': info,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const called = isStateless
    ? { method, params: { _meta: meta } }
    : { method: 'initialize', params: { protocolVersion: revision, capabilities: {}, clientInfo: info } }
  const headers = ['Content-Type: application/json', 'Accept: application/json, text/event-stream']
  if (isStateless) headers.push('MCP-Protocol-Version: ' + revision, 'Mcp-Method: ' + method)
  const lines = [
    'curl -sS ' + shellQuoted(url),
    ...(auth ? ['-H "Authorization: Bearer $MCP_TOKEN"'] : []),
    ...headers.map((header) => '-H ' + shellQuoted(header)),
    '-d ' + shellQuoted(JSON.stringify({ jsonrpc: '2.0', id: 1, ...called })),
  ]
  const note = auth ? 'Other users of the machine can see the arguments of a command, and so the token, while it runs.' : ''
  return { id: 'curl', label: 'curl', place: 'POSIX shell', code: lines.join(' \\\n  '), note }
}
`
