import { homedir } from 'node:os'
import { UsageError } from '../command.ts'
import { ownName, shellWord } from '../command-name.ts'
import { exitCode } from '../exit-codes.ts'
import { variablesOf } from '../hosts/headers.ts'
import type { Host, HostRequest } from '../hosts/host.ts'
import { hostRequest } from '../hosts/host-request.ts'
import { hosts } from '../hosts/hosts.ts'
import { localCommand } from '../local-command.ts'
import { printableLine } from '../printable.ts'

const known = [...hosts.keys()].join(', ')

/** `mcp-bearer host-config`: what to write where, so that a host sends the token and keeps it in no file. */
export const hostConfig = localCommand({
  summary: 'print the configuration of a server for a host',
  usage: 'host-config <url> --for <host> [options]',
  about: `Prints what a host has to be told of a server: with the place the token comes from, never
with the token. What a file of the host is, how to set the variable and how to try it goes to
standard error, so that the output is the configuration and nothing else.

Hosts: ${known}

  mcp-bearer host-config https://mcp.example.com/mcp --for claude-code --name reports
  mcp-bearer host-config https://mcp.example.com/mcp --for claude-desktop --auth file:/home/me/.token

A host that reads no variables, or shall take the token from a file, gets \`mcp-bearer connect\`
as a command.`,
  optionsHelp: `  --for HOST          which host
  --name NAME         what the host calls the server; otherwise after its host name
  --auth WHAT         env:NAME or file:PATH; otherwise what suits the host
  --header 'N: V'     one more header; \${NAME} in it is an environment variable`,
  options: {
    for: { type: 'string' },
    name: { type: 'string' },
    auth: { type: 'string' },
    header: { type: 'string', multiple: true },
  },
  words: [1, 1],
  async run({ values, words: [url = ''], terminal }) {
    const host = hostOf(values.for)
    const { name, auth, header: headers = [] } = values
    const request = hostRequest({ url, name, auth, headers }, host, homedir())
    const { text, notes } = host.entry(request)
    if (values.json) {
      terminal.line(text)
      return exitCode.ok
    }
    return { json: {}, lines: [text], notes: [...advice(request, host), ...notes] }
  },
})

function hostOf(word: string | undefined): Host {
  if (word === undefined) throw new UsageError(`which host? --for one of ${known}`)
  const host = hosts.get(word)
  if (!host) throw new UsageError(`there is no host "${printableLine(word, 64)}"; known are ${known}`)
  return host
}

function advice(request: HostRequest, host: Host): string[] {
  const { title, file, restart } = host
  return [
    `${title}: this goes into ${file}.`,
    ...(host.asks && request.auth?.kind !== 'file' ? [] : place(request)),
    `Try it: ${check(request, host)}`,
    `Then ${restart}.`,
  ]
}

function check({ auth, url, headers }: HostRequest, { asks }: Host): string {
  const source = auth?.kind === 'file' ? `file:${auth.path}` : asks ? '-' : `env:${auth?.name}`
  return [
    ...[ownName(), 'ping', shellWord(url)],
    ...(auth === undefined ? [] : ['--auth', shellWord(source)]),
    ...headers.flatMap(([name, value]) => ['--header', shellWord(`${name}: ${value}`)]),
  ].join(' ')
}

/** How the token gets to where it is read: not through the history of a shell. */
function place({ auth, name, ...rest }: HostRequest): string[] {
  if (auth?.kind === 'file') {
    return [
      'Put the token into the file (the line waits for it: paste it, Enter, Ctrl-D):',
      `  (umask 077 && cat > ${shellWord(auth.path)})`,
    ]
  }
  const variables = variablesOf({ auth, name, ...rest })
  if (variables.length === 0) return []
  const file = `~/.${name}-token`
  const [first = '', ...others] = variables
  return [
    `Set ${variables.join(', ')} in the environment the host is started from (the first line waits for the token: paste it, Enter, Ctrl-D):`,
    `  (umask 077 && cat > ${file})`,
    `  export ${first}="$(cat ${file})"`,
    ...(others.length > 0 ? [`and ${others.join(', ')} in the same way.`] : []),
  ]
}
