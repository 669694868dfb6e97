import type {
  Client as SdkClient,
  StreamableHTTPClientTransport,
  SubscriptionFilter,
  Transport,
} from '@modelcontextprotocol/client'
import { checkOptions } from '../core/options.ts'
import type { Sdk } from './explain.ts'

/** Something at the server that is not what it was. */
export type Change =
  | {
      readonly kind: 'resource'
      /** The resource, or one inside it. */
      readonly uri: string
    }
  | { readonly kind: 'tools' | 'prompts' | 'resourceList' }

/** What to be told of. At least one. */
export interface ChangeFilter {
  /** Resources whose contents change, by URI. Default: none. */
  readonly resources?: readonly string[] | undefined
  /** Tools that come, go or change. Default: false. */
  readonly tools?: boolean | undefined
  /** Prompts that come, go or change. Default: false. */
  readonly prompts?: boolean | undefined
  /** Resources and templates that come or go. Default: false. */
  readonly resourceList?: boolean | undefined
}

/** One stream of changes, from its opening to its end. */
export interface ChangeStream {
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/** What a stream is opened with. */
export interface ListenRequest {
  /** Milliseconds to wait for the server to agree. */
  readonly timeout: number
  readonly signal?: AbortSignal
}

/** The request of this id opens the stream that is being listened to. Set by whoever sees the requests go out. */
export interface LastListen {
  id?: string | number
}

type Tell = (change: Change) => void

interface OpenStream {
  readonly wanted: ChangeFilter
  readonly tell: Tell
  /** The subscription, in the revision 2026-07-28. */
  readonly id?: string | number | undefined
  readonly end: () => void
}

/** How long a server may take to unsubscribe, in milliseconds, before we go without its answer. */
const farewell = 5_000

const flags = ['tools', 'prompts', 'resourceList'] as const

/**
 * Checks and copies a filter.
 * @throws TypeError naming what is wrong
 */
export function readFilter(owner: string, filter: unknown): ChangeFilter {
  checkOptions(owner, filter, ['resources', ...flags])
  const { resources = [], ...rest } = filter as ChangeFilter
  if (!Array.isArray(resources) || !resources.every((uri) => typeof uri === 'string' && uri !== '')) {
    throw new TypeError(`${owner}: resources must be a list of URIs`)
  }
  for (const flag of flags) {
    if (rest[flag] !== undefined && typeof rest[flag] !== 'boolean') {
      throw new TypeError(`${owner}: ${flag} must be true or false`)
    }
  }
  const wanted = { ...rest, resources: [...new Set<string>(resources)] }
  if (allOf(wanted).length === 0) throw new TypeError(`${owner}: name at least one thing to be told of`)
  return wanted
}

/** Everything a filter names, as if all of it had changed. */
export function allOf({ resources = [], ...rest }: ChangeFilter): Change[] {
  return [
    ...resources.map((uri) => ({ kind: 'resource' as const, uri })),
    ...flags.filter((flag) => rest[flag]).map((kind) => ({ kind })),
  ]
}

/** The streams of changes of one connection, and its notifications. */
export class ChangeStreams {
  readonly #lib: Sdk
  readonly #sdk: SdkClient
  readonly #transport: Transport
  readonly #last: LastListen
  readonly #open = new Set<OpenStream>()
  /** Whether the stream a server of 2025-11-25 pushes messages on is known to be there. */
  #isThere = false

  constructor(lib: Sdk, sdk: SdkClient, transport: Transport, last: LastListen) {
    this.#lib = lib
    this.#sdk = sdk
    this.#transport = transport
    this.#last = last
    sdk.setNotificationHandler('notifications/resources/updated', ({ params }) =>
      this.#spread({ kind: 'resource', uri: params.uri }, params._meta),
    )
    sdk.setNotificationHandler('notifications/tools/list_changed', ({ params }) =>
      this.#spread({ kind: 'tools' }, params?._meta),
    )
    sdk.setNotificationHandler('notifications/prompts/list_changed', ({ params }) =>
      this.#spread({ kind: 'prompts' }, params?._meta),
    )
    sdk.setNotificationHandler('notifications/resources/list_changed', ({ params }) =>
      this.#spread({ kind: 'resourceList' }, params?._meta),
    )
  }

  /**
   * Opens one: `subscriptions/listen` in the revision 2026-07-28, `resources/subscribe` and the messages a server
   * pushes by itself in older ones.
   * @throws SdkError when the server does not tell of all that is wanted
   */
  async listen(wanted: ChangeFilter, tell: Tell, request: ListenRequest): Promise<ChangeStream> {
    return this.#sdk.getProtocolEra() === 'modern'
      ? this.#listenModern(wanted, tell, request)
      : this.#listenLegacy(wanted, tell, request)
  }

  /** The stream a server of 2025-11-25 pushes messages on is gone, and with it all that hangs on it. */
  lose(): void {
    this.#isThere = false
    for (const { id, end } of this.#open) if (id === undefined) end()
  }

  /** MCP 2026-07-28 "Subscriptions". */
  async #listenModern(wanted: ChangeFilter, tell: Tell, request: ListenRequest): Promise<ChangeStream> {
    const opening = this.#sdk.listen(inTheirWords(wanted), request)
    const { ended, end } = this.#enlist(wanted, tell, this.#last.id)
    try {
      const subscription = await opening
      void subscription.closed.then(end)
      const missing = allOf(wanted).find((change) => !honors(subscription.honoredFilter, change))
      if (missing === undefined) return { ended, close: () => subscription.close() }
      await subscription.close()
      throw this.#cannot(missing)
    } catch (error) {
      end()
      throw error
    }
  }

  /** MCP 2025-11-25 "Resources", subscriptions, and the list changed notifications. */
  async #listenLegacy(wanted: ChangeFilter, tell: Tell, request: ListenRequest): Promise<ChangeStream> {
    const missing = allOf(wanted).find((change) => !advertises(this.#sdk, change))
    if (missing !== undefined) throw this.#cannot(missing)
    if (!this.#isThere && canTakeUp(this.#transport)) await takeUp(this.#lib, this.#transport)
    this.#isThere = true
    const { ended, end } = this.#enlist(wanted, tell)
    const close = async (): Promise<void> => {
      end()
      await this.#unsubscribe(wanted, Math.min(request.timeout, farewell))
    }
    try {
      for (const uri of wanted.resources ?? []) await this.#sdk.subscribeResource({ uri }, request)
    } catch (error) {
      end()
      throw error
    }
    return { ended, close }
  }

  /** A server that does not hear of it tells of changes that nobody wants; no harm. */
  async #unsubscribe({ resources = [] }: ChangeFilter, timeout: number): Promise<void> {
    const others = new Set([...this.#open].flatMap(({ wanted }) => wanted.resources ?? []))
    const alone = resources.filter((uri) => !others.has(uri))
    await Promise.allSettled(alone.map((uri) => this.#sdk.unsubscribeResource({ uri }, { timeout })))
  }

  #enlist(wanted: ChangeFilter, tell: Tell, id?: string | number): { ended: Promise<void>; end: () => void } {
    let resolve: () => void = () => {}
    const ended = new Promise<void>((done) => {
      resolve = done
    })
    const end = (): void => {
      this.#open.delete(stream)
      resolve()
    }
    const stream: OpenStream = { wanted, tell, id, end }
    this.#open.add(stream)
    return { ended, end }
  }

  #spread(change: Change, meta: Readonly<Record<string, unknown>> | undefined): void {
    const id = meta?.[this.#lib.SUBSCRIPTION_ID_META_KEY]
    for (const stream of this.#open) {
      const isOther = id !== undefined && stream.id !== undefined && id !== stream.id
      if (!isOther && concerns(stream.wanted, change)) stream.tell(change)
    }
  }

  #cannot(change: Change): Error {
    const what = change.kind === 'resource' ? change.uri : change.kind
    const { SdkError, SdkErrorCode } = this.#lib
    return new SdkError(SdkErrorCode.CapabilityNotSupported, `The server does not tell of changes of ${what}`)
  }
}

/**
 * Opens the stream a server of 2025-11-25 pushes messages on (MCP transports, "Listening for Messages from the
 * Server"). The SDK opens it in the background, and gives it up when it cannot be taken up again, and tells neither:
 * what is subscribed to before it is there would be missed. Other transports have one stream for everything.
 */
async function takeUp({ SdkHttpError }: Sdk, transport: ResumableTransport): Promise<void> {
  try {
    await transport.resumeStream('')
  } catch (error) {
    // 409: it is there.
    if (!(error instanceof SdkHttpError && error.status === 409)) throw error
  }
}

type ResumableTransport = Transport & Pick<StreamableHTTPClientTransport, 'resumeStream'>

function canTakeUp(transport: Transport): transport is ResumableTransport {
  return 'resumeStream' in transport
}

function inTheirWords({ resources = [], tools, prompts, resourceList }: ChangeFilter): SubscriptionFilter {
  return {
    ...(resources.length > 0 && { resourceSubscriptions: [...resources] }),
    ...(tools && { toolsListChanged: true }),
    ...(prompts && { promptsListChanged: true }),
    ...(resourceList && { resourcesListChanged: true }),
  }
}

function honors(filter: SubscriptionFilter, change: Change): boolean {
  switch (change.kind) {
    case 'resource':
      return filter.resourceSubscriptions?.includes(change.uri) ?? false
    case 'tools':
      return filter.toolsListChanged ?? false
    case 'prompts':
      return filter.promptsListChanged ?? false
    case 'resourceList':
      return filter.resourcesListChanged ?? false
  }
}

function advertises(sdk: SdkClient, { kind }: Change): boolean {
  const { tools, prompts, resources } = sdk.getServerCapabilities() ?? {}
  switch (kind) {
    case 'resource':
      return resources?.subscribe ?? false
    case 'tools':
      return tools?.listChanged ?? false
    case 'prompts':
      return prompts?.listChanged ?? false
    case 'resourceList':
      return resources?.listChanged ?? false
  }
}

/** MCP "Resources": what is told of may be a resource inside the one subscribed to. */
function concerns(wanted: ChangeFilter, change: Change): boolean {
  if (change.kind !== 'resource') return wanted[change.kind] ?? false
  const { uri } = change
  return (wanted.resources ?? []).some((own) => uri === own || uri.startsWith(own.replace(/\/?$/, '/')))
}
