import { type Logger, scopeList } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { CallContext } from './call-context.ts'
import type { Component } from './component.ts'
import { failureText } from './failure.ts'
import { toResourceContents } from './result.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { ResourceContents, ResourceContext, ResourceOptions } from './types.ts'
import { normalUri, type UriTemplate, uriTemplate } from './uri-template.ts'

/** The function behind a resource: the variables of its template (none for a fixed URI) in, contents out. */
export type ResourceHandler = (args: Readonly<Record<string, string>>, ctx: ResourceContext) => unknown

/** A resource, or a template of resources, in the registry. Its name there is the URI or the template. */
export interface ResourceEntry extends Component {
  /** Set for a template. */
  readonly template: UriTemplate | undefined
  /** Reads one URI. Throws an `RpcError`, or an `AuthError` when the caller is refused. */
  read(
    uri: string,
    args: Readonly<Record<string, string>>,
    ctx: CallContext,
  ): Promise<readonly ResourceContents[]>
}

const known = ['name', 'title', 'description', 'mimeType', 'scopes']

/**
 * Makes the registry entry of a resource. A URI with `{…}` in it is a template.
 * @throws TypeError naming the option that is wrong
 */
export function resourceEntry(
  uri: string,
  options: ResourceOptions,
  handler: ResourceHandler,
  logger: Logger,
): ResourceEntry {
  const owner = `resource "${uri}"`
  checkOptions(owner, options, known)
  if (typeof handler !== 'function') throw new TypeError(`${owner}: the handler must be a function`)
  const template = /[{}]/.test(uri) ? uriTemplate(uri) : undefined
  const name = normalUri(uri)
  if (name === undefined || (!template && !URL.canParse(uri)))
    throw new TypeError(`${owner}: the URI must be absolute, for example notes://today`)
  const { title, description, mimeType } = options
  return {
    name,
    template,
    scopes: scopeList(`${owner}: scopes`, options.scopes ?? []),
    listed: Object.freeze({
      ...(template ? { uriTemplate: uri } : { uri }),
      name: options.name ?? uri,
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      ...(mimeType !== undefined && { mimeType }),
    }),
    async read(asked, args, ctx) {
      try {
        return toResourceContents(asked, mimeType, await handler(args, resourceContext(ctx, asked)))
      } catch (error) {
        throw new RpcError(rpcCode.internalError, failureText(error, owner, ctx, logger))
      }
    },
  }
}

/** The context of the call, and the URI. */
function resourceContext(ctx: CallContext, uri: string): ResourceContext {
  return {
    uri,
    auth: ctx.auth,
    requestId: ctx.requestId,
    get signal() {
      return ctx.signal
    },
    progress: (progress, total, message) => ctx.progress(progress, total, message),
    log: (level, data) => ctx.log(level, data),
  }
}
