import { readPlaceholder } from '../../client/config/interpolate.ts'
import { UsageError } from '../command.ts'
import { bridgeEntry } from './bridge-entry.ts'
import type { Host, HostRequest } from './host.ts'

/** Codex names variables where others write them: its file holds no placeholders. */
export const codex: Host = {
  title: 'Codex',
  file: '~/.codex/config.toml',
  usual: 'env',
  restart: 'restart codex',
  entry(request) {
    const { name, url, auth } = request
    const lines =
      auth?.kind === 'file'
        ? bridgeLines(request)
        : [`url = ${text(url)}`, ...tokenLines(request), ...headerLines(request)]
    return { text: [`[mcp_servers.${name}]`, ...lines].join('\n'), notes: [] }
  },
}

function bridgeLines(request: HostRequest): string[] {
  const { command, args } = bridgeEntry(request, false)
  return [`command = ${text(command)}`, `args = [${args.map(text).join(', ')}]`]
}

function tokenLines({ auth }: HostRequest): string[] {
  return auth?.kind === 'env' ? [`bearer_token_env_var = ${text(auth.name)}`] : []
}

function headerLines({ headers }: HostRequest): string[] {
  const named = headers.map(([name, value]) => {
    const [, inside] = /^\$\{([^}]*)\}$/.exec(value) ?? []
    const variable = inside === undefined ? undefined : readPlaceholder(inside)?.name
    if (variable === undefined && value.includes('${')) {
      throw new UsageError(`the header ${name}: for Codex a variable has to be all of its value`)
    }
    return { name, value: variable ?? value, isVariable: variable !== undefined }
  })
  const table = (member: string, isVariable: boolean): string[] => {
    const own = named.filter((one) => one.isVariable === isVariable)
    if (own.length === 0) return []
    return [`${member} = { ${own.map(({ name, value }) => `${text(name)} = ${text(value)}`).join(', ')} }`]
  }
  return [...table('env_http_headers', true), ...table('http_headers', false)]
}

/** TOML "Basic strings" are those of JSON, for characters that can be in these. */
function text(value: string): string {
  return JSON.stringify(value)
}
