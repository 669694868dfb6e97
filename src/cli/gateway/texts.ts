import type { CreatedApiKey } from '../../apikeys/index.ts'
import { ownName, shellWord } from '../command-name.ts'
import { printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import type { Assembly } from './assembly.ts'
import { userName } from './keys.ts'
import { policyText } from './policy.ts'
import { callersText } from './verifiers.ts'

/** A gateway that runs, as people and programs are told. */
export interface Started {
  readonly url: string
  readonly port: number
  /** The port that was to be taken, where somebody else has it. */
  readonly busyPort: number | undefined
  readonly metrics: string | undefined
  readonly first: CreatedApiKey | undefined
}

/** A name and what is to be said of it. */
type Fact = readonly [name: string, text: string]

/** What a gateway is, for people. */
export function facts(assembly: Assembly): Fact[] {
  const { settings, place, behind, policy } = assembly
  return [
    ['server', behind.name],
    ['callers', callersText(settings.auth ?? {}, place?.name).join('; ')],
    ['policy', policyText(policy)],
    ...(settings.identity ? [['identity', identityText(assembly)] satisfies Fact] : []),
  ]
}

/** The same for programs. */
export function factsJson(assembly: Assembly): Readonly<Record<string, unknown>> {
  const { settings, place, behind, policy } = assembly
  return {
    server: { kind: behind.kind, name: behind.name },
    callers: callersText(settings.auth ?? {}, place?.name),
    ...(place && { keys: place.name }),
    policy: policy ?? null,
    ...(settings.identity && { identity: settings.identity.mode }),
  }
}

function identityText({ settings: { identity } }: Assembly): string {
  return identity?.mode === 'jwt'
    ? `a signed header, ${identity.header ?? 'mcp-identity'}; its key is at /.well-known/jwks.json`
    : 'MCP_BEARER_SUBJECT and others in the environment of the command'
}

/** What stands on the screen when a gateway has started: the address first, and what to do with it. */
export function startLines(assembly: Assembly, started: Started, style: Terminal['style']): string[] {
  const { url, port, busyPort, metrics } = started
  const title = (text: string) => style('bold', text)
  const more = moreKeys(assembly)
  const all: Fact[] = [
    ...facts(assembly),
    ...(more === undefined || isLocked(assembly, started) ? [] : [['more keys', more] satisfies Fact]),
    ...(metrics === undefined ? [] : [['metrics', metrics] satisfies Fact]),
  ]
  return [
    ...(busyPort === undefined ? [] : [`Port ${busyPort} is taken, so this is on port ${port}.`, '']),
    title('Protected'),
    `  ${url}`,
    '',
    ...keyLines(assembly, started, title),
    ...factLines(all, style),
  ]
}

function keyLines(assembly: Assembly, started: Started, title: (text: string) => string): string[] {
  const { url, first } = started
  const { resource = url } = assembly.settings.http ?? {}
  const program = ownName()
  if (first !== undefined) {
    return [
      title('Your key, shown this once (90 days)'),
      `  ${first.key}`,
      '',
      title('Try it'),
      `  export MCP_KEY=${first.key}`,
      `  ${program} tools ${url} --auth env:MCP_KEY`,
      '',
      title('Give it to a host, such as Claude Code, Cursor, VS Code'),
      `  ${program} host-config ${printable(shellWord(resource))} --for claude-code --auth env:MCP_KEY`,
      '',
    ]
  }
  const more = isLocked(assembly, started) ? moreKeys(assembly) : undefined
  return more === undefined
    ? []
    : [title('There is no key yet, so nobody gets in with one. Make the first'), `  ${printable(more)}`, '']
}

/** Whether there are to be keys, and is none. */
function isLocked({ keys }: Assembly, { first }: Started): boolean {
  return keys?.isEmpty === true && first === undefined
}

/** The command that makes another key; `undefined` where it could not, because the keys are in memory. */
function moreKeys({ place, keys }: Assembly): string | undefined {
  if (place === undefined || keys === undefined || keys.problem !== undefined) return undefined
  const db = place.name.startsWith('env:') ? `"$${place.name.slice('env:'.length)}"` : shellWord(place.name)
  return `${ownName()} keys create --db ${db} --name laptop --owner ${shellWord(userName())}`
}

/** Lines of names and texts. What a file calls something may hold what a terminal would obey. */
export function factLines(list: readonly Fact[], style: Terminal['style']): string[] {
  const width = Math.max(...list.map(([name]) => name.length))
  return list.map(([name, text]) => `${style('dim', name.padEnd(width))}  ${printable(text)}`)
}
