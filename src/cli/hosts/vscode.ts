import { bridgeEntry } from './bridge-entry.ts'
import { headersOf, variablesOf } from './headers.ts'
import { type Host, json } from './host.ts'

/** VS Code asks for the token itself and keeps it; it fills no environment variables into headers. */
export const vscode: Host = {
  title: 'VS Code',
  file: '.vscode/mcp.json of the workspace, or mcp.json of the user profile (MCP: Open User Configuration)',
  usual: 'env',
  asks: true,
  restart: 'start the server again (MCP: List Servers)',
  entry(request) {
    const { name, url } = request
    const headers = headersOf(request, (variable) => `\${input:${inputOf(variable)}}`)
    if (!headers)
      return {
        text: json({ servers: { [name]: { type: 'stdio', ...bridgeEntry(request, true) } } }),
        notes: [],
      }
    const inputs = variablesOf(request).map((variable) => ({
      type: 'promptString',
      id: inputOf(variable),
      description: `${variable === variablesOf(request)[0] ? 'Token' : variable} for ${new URL(url).host}`,
      password: true,
    }))
    return {
      text: json({
        ...(inputs.length > 0 && { inputs }),
        servers: { [name]: { type: 'http', url, headers } },
      }),
      notes:
        inputs.length > 0 ? ['VS Code asks for the token when the server first starts, and keeps it.'] : [],
    }
  },
}

/** `REPORTS_TOKEN` as the id of an input: `reports-token`. */
function inputOf(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '-')
}
