import { shellWord } from '../command-name.ts'
import { bridgeEntry } from './bridge-entry.ts'
import { headersOf } from './headers.ts'
import { type Host, type HostEntry, type HostRequest, json } from './host.ts'

export const claudeCode: Host = {
  title: 'Claude Code',
  file: '.mcp.json of the project',
  usual: 'env',
  restart: 'restart claude',
  entry(request) {
    const { name, url } = request
    const headers = headersOf(request, (variable) => `\${${variable}}`)
    if (!headers) return servers(name, { type: 'stdio', ...bridgeEntry(request, true) })
    const lines = Object.entries(headers).map((header) => `--header ${shellWord(header.join(': '))}`)
    return {
      ...servers(name, { type: 'http', url, headers }),
      notes: [
        'The same as a command:',
        ['  claude mcp add --transport http --scope project', name, shellWord(url), ...lines].join(' '),
      ],
    }
  },
}

export const claudeDesktop: Host = {
  title: 'Claude Desktop',
  file: 'claude_desktop_config.json, in ~/Library/Application Support/Claude/ (macOS) or %APPDATA%\\Claude\\ (Windows)',
  usual: 'file',
  restart: 'restart Claude Desktop',
  entry: (request) => bridged(request, 'Claude Desktop'),
}

export const cline: Host = {
  title: 'Cline',
  file: 'cline_mcp_settings.json (MCP Servers > Configure)',
  usual: 'file',
  restart: 'restart the server in the list of MCP servers',
  entry: (request) => bridged(request, 'Cline'),
}

export const cursor: Host = {
  title: 'Cursor',
  file: '.cursor/mcp.json of the project, or ~/.cursor/mcp.json',
  usual: 'env',
  restart: 'quit Cursor, and start it again',
  entry(request) {
    const headers = headersOf(request, (variable) => `\${env:${variable}}`)
    return servers(request.name, headers ? { url: request.url, headers } : bridgeEntry(request, true))
  },
}

export const windsurf: Host = {
  title: 'Windsurf',
  file: '~/.codeium/windsurf/mcp_config.json',
  usual: 'env',
  restart: 'restart Windsurf',
  entry(request) {
    const headers = headersOf(request, (variable) => `\${env:${variable}}`)
    return servers(request.name, headers ? { serverUrl: request.url, headers } : bridgeEntry(request, true))
  },
}

export const geminiCli: Host = {
  title: 'Gemini CLI',
  file: '.gemini/settings.json of the project, or ~/.gemini/settings.json',
  usual: 'env',
  restart: 'restart gemini',
  entry(request) {
    const headers = headersOf(request, (variable) => `\${${variable}}`)
    return servers(request.name, headers ? { httpUrl: request.url, headers } : bridgeEntry(request, true))
  },
}

function servers(name: string, entry: object): HostEntry {
  return { text: json({ mcpServers: { [name]: entry } }), notes: [] }
}

/** For hosts that have no variables: what stood in a header would be the token. */
function bridged(request: HostRequest, title: string): HostEntry {
  const entry = servers(request.name, bridgeEntry(request, false))
  if (request.auth?.kind !== 'env') return entry
  return {
    ...entry,
    notes: [
      `${title} is not started from a shell and may not have ${request.auth.name}; --auth file:PATH always works.`,
    ],
  }
}
