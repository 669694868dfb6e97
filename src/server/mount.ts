import { AuthError, type Clock } from '../core/index.ts'
import { runWithToken } from '../http/context.ts'
import { type BearerGate, isRefusal } from '../http/gate.ts'
import type { Refusal } from '../http/refusal.ts'
import type { CallContext } from './call-context.ts'
import { type AccessRule, type Asked, admit, type Caller, type Component } from './component.ts'
import type { Lend } from './component-list.ts'
import { around, type Middleware } from './middleware.ts'
import type { PromptEntry } from './prompts.ts'
import type { Registry } from './registry.ts'
import type { ResourceEntry } from './resources.ts'
import type { ToolEntry } from './tools.ts'
import { normalUri, uriTemplate } from './uri-template.ts'

/** A server that is mounted in another, as that one sees it. */
export interface Mountable {
  readonly registry: Registry
  /** `undefined` for a server that asks for nobody. */
  readonly gate: BearerGate | undefined
  readonly middleware: readonly Middleware[]
  readonly clock: Clock
}

/** How names are told apart. */
export interface MountNames {
  /** The name outside of a tool or prompt. */
  name(inside: string): string
  /** The URI or template outside of a resource. */
  uri(inside: string): string
  /** The name or URI inside; `undefined` when it cannot be one of the mounted server's. */
  nameInside(outside: string): string | undefined
  uriInside(outside: string): string | undefined
}

/**
 * Shows the components of one server in another, under names of their own. Both servers' `auth` is respected: a caller
 * has passed that of the outer one, and here that of the inner one is asked as well, which decides under which identity
 * the component runs.
 */
export function mount(outer: Registry, inner: Mountable, names: MountNames): void {
  const { registry } = inner
  const insider = insiders(inner)
  const byName = { nameThere: names.nameInside }
  const byUri = { nameThere: names.uriInside }
  outer.tools.mount(registry.tools, { ...byName, present: once((entry) => tool(entry, names, insider)) })
  outer.prompts.mount(registry.prompts, {
    ...byName,
    present: once((entry) => prompt(entry, names, insider)),
  })
  const present = once((entry: ResourceEntry) => resource(entry, names, insider))
  outer.resources.mount(registry.resources, { ...byUri, present })
  outer.templates.mount(registry.templates, { ...byUri, present })
}

/** `team` makes `team_search` of `search`, and `notes://team/today` of `notes://today`. */
export function prefixed(prefix: string): MountNames {
  const start = `${prefix}_`
  const afterScheme = /^([a-z][a-z0-9+.-]*:(?:\/\/)?)(.*)$/is
  return {
    name: (inside) => `${start}${inside}`,
    nameInside: (outside) => (outside.startsWith(start) ? outside.slice(start.length) : undefined),
    uri: (inside) => inside.replace(afterScheme, `$1${prefix}/$2`),
    uriInside(outside) {
      const [, scheme, rest] = afterScheme.exec(outside) ?? []
      if (scheme === undefined || rest?.startsWith(`${prefix}/`) !== true) return undefined
      return `${scheme}${rest.slice(prefix.length + 1)}`
    },
  }
}

/** What a mounted server makes of a caller. */
interface Insiders {
  /** Whether it asks callers who they are. */
  readonly asks: boolean
  /** Makes sure that the caller may use something of the mounted server. */
  admit(entry: Component, caller: Caller, asked: Asked, shownAs: string): Promise<void>
  /** Who the caller is inside, once they were admitted. */
  known(caller: Caller): Caller
  /** Runs something of the mounted server, as its own caller and with its own middleware around. */
  run<T>(
    caller: Caller,
    ctx: CallContext,
    call: (own: CallContext, as: Caller) => Promise<T>,
    what: Called,
  ): Promise<T>
}

/** Milliseconds for which it is remembered who a caller is: a request asks more than once, and a session for long. */
const knownMs = 1000

interface Known {
  readonly at: number
  readonly pending: Promise<Caller>
  own?: Caller
}

interface Called {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

function insiders({ gate, middleware, clock }: Mountable): Insiders {
  const callers = new WeakMap<Caller, Known>()

  function identify(caller: Caller): Promise<Caller> {
    if (!gate) return Promise.resolve(caller)
    const before = callers.get(caller)
    if (before && Math.abs(clock() - before.at) < knownMs) return before.pending
    // One request is one use, however often it is asked about, and for how long.
    const now: Known = { at: clock(), pending: throughGate(gate, caller, before?.own !== undefined) }
    callers.set(caller, now)
    now.pending.then(
      (own) => {
        now.own = own
      },
      () => {},
    )
    return now.pending
  }

  /** Whatever the mounted server's author wrote sees its own caller, and no other. */
  function asInsider<T>(own: Caller, fn: () => T): T {
    const covers = (_token: unknown, scopes: readonly string[]) => own.covers(scopes)
    return runWithToken({ token: own.auth, covers, clock }, fn)
  }

  return {
    asks: gate !== undefined,
    async admit(entry, caller, asked, shownAs) {
      const own = await identify(caller)
      await asInsider(own, () => admit(entry, own, asked, shownAs))
    },
    known: (caller) => callers.get(caller)?.own ?? caller,
    async run(caller, ctx, call, { method, params }) {
      const own = callers.get(caller)?.own ?? (await identify(caller))
      const inside = ctx.as(own.auth)
      const request = { method, params, auth: own.auth, signal: inside.signal }
      const result = await asInsider(own, () => around(middleware, request, () => call(inside, own)))
      // Middleware that returns something else is its author's word; the protocol engine checks it.
      return result as Awaited<ReturnType<typeof call>>
    },
  }
}

/** Over stdio there is no credential to show; who runs the outer server has said who the client is, or nobody did. */
async function throughGate(gate: BearerGate, caller: Caller, isRecheck: boolean): Promise<Caller> {
  if (!caller.incoming) return caller
  const token = await gate.authenticate(caller.incoming.head, undefined, isRecheck)
  if (!isRefusal(token)) {
    return {
      auth: token,
      incoming: caller.incoming,
      covers: (scopes) => gate.covers(token, scopes),
    }
  }
  // A token that is good outside is not bad: it is just not for here, and another attempt would not help.
  const isKnownOutside = caller.auth !== undefined && token.code === 'invalid_token'
  throw new AuthError(isKnownOutside ? 'access_denied' : token.code, undefined, detailsOf(token))
}

/** What the mounted server's refusal says beyond its code, as the outer one has to repeat it in its own words. */
function detailsOf({ headers, body }: Refusal): { scopes?: readonly string[]; retryAfter?: number } {
  const { scope } = JSON.parse(body) as { scope?: string }
  const retryAfter = Number(headers['retry-after'])
  return { ...(scope !== undefined && { scopes: scope.split(' ') }), ...(retryAfter > 0 && { retryAfter }) }
}

/** What all have in common: the name is another one, and the mounted server decides who may, and how often. */
function presented(entry: Component, name: string, names: MountNames, insider: Insiders) {
  const { turns, scopes } = entry
  const shown = { name, turns: turns && ((caller: Caller) => turns(insider.known(caller))) }
  // Who is known outside only is the same inside, and what the scopes say can be said at once.
  if (!insider.asks && !entry.rule) return { ...shown, scopes, rule: undefined }
  // A rule inside knows the URIs inside.
  const rule: AccessRule = (caller, { uri, ...asked }, shownAs) => {
    const inside = { ...asked, ...(uri !== undefined && { uri: insideUri(uri, names) }) }
    return insider.admit(entry, caller, inside, shownAs)
  }
  return { ...shown, scopes: [], rule }
}

function tool(entry: ToolEntry, names: MountNames, insider: Insiders): ToolEntry {
  const name = names.name(entry.name)
  return {
    ...entry,
    ...presented(entry, name, names, insider),
    listed: Object.freeze({ ...entry.listed, name }),
    call: (args, ctx, caller) =>
      insider.run(caller, ctx, async (own, as) => entry.call(args, own, as), {
        method: 'tools/call',
        params: { name: entry.name, arguments: args },
      }),
  }
}

function prompt(entry: PromptEntry, names: MountNames, insider: Insiders): PromptEntry {
  const name = names.name(entry.name)
  return {
    ...entry,
    ...presented(entry, name, names, insider),
    listed: Object.freeze({ ...entry.listed, name }),
    completions: completionsInside(entry.completions, { type: 'ref/prompt', name: entry.name }, insider),
    get: (args, ctx, caller) =>
      insider.run(caller, ctx, (own, as) => entry.get(args, own, as), {
        method: 'prompts/get',
        params: { name: entry.name, arguments: args },
      }),
  }
}

function resource(entry: ResourceEntry, names: MountNames, insider: Insiders): ResourceEntry {
  const name = names.uri(entry.name)
  const template = entry.template && uriTemplate(names.uri(entry.template.template))
  const uri = entry.template
    ? { uriTemplate: template?.template }
    : { uri: names.uri(String(entry.listed.uri)) }
  return {
    ...entry,
    ...presented(entry, name, names, insider),
    template,
    listed: Object.freeze({ ...entry.listed, ...uri }),
    completions: completionsInside(
      entry.completions,
      { type: 'ref/resource', uri: entry.listed.uriTemplate ?? entry.listed.uri },
      insider,
    ),
    async read(asked, args, ctx, caller) {
      const inside = insideUri(asked, names)
      const read = async (own: CallContext, as: Caller) => ({
        contents: await entry.read(inside, args, own, as),
      })
      const { contents } = await insider.run(caller, ctx, read, {
        method: 'resources/read',
        params: { uri: inside },
      })
      return contents.map((each) => (each.uri === inside ? { ...each, uri: asked } : each))
    },
  }
}

/** The URI as the mounted server has it, of whatever spelling of it found something there. */
function insideUri(outside: string, names: MountNames): string {
  return names.uriInside(outside) ?? names.uriInside(normalUri(outside) ?? '') ?? outside
}

function completionsInside(
  completions: PromptEntry['completions'],
  ref: object,
  insider: Insiders,
): PromptEntry['completions'] {
  return {
    size: completions.size,
    suggest({ argument, context }, ctx, caller) {
      const suggest = (own: CallContext, as: Caller) =>
        completions.suggest({ ref, argument, context: { ...context, auth: own.auth } }, own, as)
      return insider.run(caller, ctx, suggest, {
        method: 'completion/complete',
        params: { ref, argument, context: { arguments: context.arguments } },
      })
    },
  }
}

/** One presentation for each entry: so that what was permitted is what is called. */
function once<Entry extends object>(make: (entry: Entry) => Entry): Lend<Entry>['present'] {
  const made = new WeakMap<Entry, Entry>()
  return (entry) => {
    const known = made.get(entry) ?? make(entry)
    made.set(entry, known)
    return known
  }
}
