import { checkOptions, numberBetween } from '../core/options.ts'
import { accessOf } from './access.ts'
import type { CallContext } from './call-context.ts'
import { type Completions, completions } from './completion.ts'
import type { Caller, Component } from './component.ts'
import { failureText } from './failure.ts'
import { listedMembers, listedTexts } from './listed.ts'
import { toResourceContents } from './result.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { ComponentDefaults } from './tools.ts'
import type { ResourceContents, ResourceContext, ResourceOptions } from './types.ts'
import { normalUri, type UriTemplate, uriTemplate } from './uri-template.ts'

/** The function behind a resource: the variables of its template (none for a fixed URI) in, contents out. */
export type ResourceHandler = (args: Readonly<Record<string, string>>, ctx: ResourceContext) => unknown

/** A resource, or a template of resources, in the registry. Its name there is the URI or the template. */
export interface ResourceEntry extends Component {
  /** Set for a template. */
  readonly template: UriTemplate | undefined
  readonly completions: Completions
  /** Milliseconds for which what is read may be kept. */
  readonly ttlMs: number
  /** Reads one URI. Throws an `RpcError`, or an `AuthError` when the caller is refused. */
  read(
    uri: string,
    args: Readonly<Record<string, string>>,
    ctx: CallContext,
    caller: Caller,
  ): Promise<readonly ResourceContents[]>
}

const known = [
  'name',
  'title',
  'description',
  'mimeType',
  'scopes',
  'authorize',
  'complete',
  'rateLimit',
  'ttlMs',
  'listed',
] as const satisfies readonly (keyof ResourceOptions)[]

/**
 * Makes the registry entry of a resource. A URI with `{…}` in it is a template.
 * @throws TypeError naming the option that is wrong
 */
export function resourceEntry(
  uri: string,
  options: ResourceOptions,
  handler: ResourceHandler,
  { logger, clock }: ComponentDefaults,
): ResourceEntry {
  const owner = `resource "${uri}"`
  checkOptions(owner, options, known)
  if (typeof handler !== 'function') throw new TypeError(`${owner}: the handler must be a function`)
  const template = /[{}]/.test(uri) ? uriTemplate(uri) : undefined
  const name = normalUri(uri)
  if (name === undefined || (!template && !URL.canParse(uri)))
    throw new TypeError(`${owner}: the URI must be absolute, for example notes://today`)
  const { mimeType } = options
  const kind = template ? 'resource template' : 'resource'
  return {
    kind,
    name,
    template,
    ...accessOf(owner, kind, uri, options, clock),
    completions: completions(owner, options.complete, template?.names ?? [], logger),
    ttlMs: numberBetween(`${owner}: ttlMs`, options.ttlMs ?? 0, 0, 86_400_000),
    listed: Object.freeze({
      ...(template ? { uriTemplate: uri } : { uri }),
      name: uri,
      ...listedTexts(owner, options, ['name', 'title', 'description', 'mimeType']),
      ...listedMembers(owner, options.listed, ['icons', 'annotations', 'size', 'meta']),
    }),
    async read(asked, args, ctx) {
      try {
        const pending = handler(args, resourceContext(ctx, asked))
        return toResourceContents(asked, mimeType, await ctx.orSuspended(pending))
      } catch (error) {
        throw new RpcError(rpcCode.internalError, failureText(error, owner, ctx, logger))
      }
    },
  }
}

/** The context of the call, and the URI. */
function resourceContext(ctx: CallContext, uri: string): ResourceContext {
  return ctx.reading(uri)
}
