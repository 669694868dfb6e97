import { bridgeEntry } from './bridge-entry.ts'
import { type Host, json } from './host.ts'

/** Zed has headers, and no variables in them. */
export const zed: Host = {
  title: 'Zed',
  file: 'settings.json (zed: open settings file)',
  usual: 'file',
  restart: 'restart the server in Settings > AI > MCP Servers',
  entry(request) {
    const entry = { ...bridgeEntry(request, false), env: {} }
    return { text: json({ context_servers: { [request.name]: entry } }), notes: [] }
  },
}
