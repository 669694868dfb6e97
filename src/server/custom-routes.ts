import type { AccessToken } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'

/** How a route of one's own behaves. */
export interface RouteOptions {
  /** Whether it needs a token. Default: true; `false` has to be said. */
  readonly auth?: boolean
  /** The HTTP methods it answers; others are answered with 405. Default: GET. */
  readonly methods?: readonly string[]
}

/** What a route is told beside the request. */
export interface RouteContext {
  /** Who calls; `undefined` on a route without `auth`, and on a server without. */
  readonly auth: AccessToken | undefined
}

/** Answers the requests of a route. The request has no credential in it any more; its body is bounded. */
export type RouteHandler = (request: Request, context: RouteContext) => Response | Promise<Response>

/** A route of one's own. */
export interface CustomRoute {
  readonly path: string
  readonly handler: RouteHandler
  readonly isProtected: boolean
  readonly methods: readonly string[]
}

/** Routes by their path, compared as it is. */
export interface CustomRoutes {
  add(path: string, handler: RouteHandler, options: RouteOptions): void
  get(path: string): CustomRoute | undefined
  values(): Iterable<CustomRoute>
}

/** Paths that mean something already, and what lies below some of them. */
const taken = ['/health', '/docs', '/openmcp.json', '/inspector']
const takenBelow = ['/docs/', '/.well-known/oauth-']

/** An empty {@link CustomRoutes}. */
export function customRoutes(): CustomRoutes {
  const routes = new Map<string, CustomRoute>()
  return {
    get: (path) => routes.get(path),
    values: () => routes.values(),
    add(path, handler, options) {
      const owner = `route "${path}"`
      if (typeof path !== 'string' || !/^\/[\w\-./~]*$/.test(path) || /\/\.\.?(?:\/|$)/.test(path))
        throw new TypeError(
          'route: the path must begin with "/" and hold no query, no pattern, no dot segment and no encoding',
        )
      const isTaken = taken.includes(path) || takenBelow.some((start) => path.startsWith(start))
      if (isTaken || routes.has(path)) throw new TypeError(`${owner}: the path is taken`)
      if (typeof handler !== 'function') throw new TypeError(`${owner}: the handler must be a function`)
      checkOptions(owner, options, ['auth', 'methods'])
      if ('auth' in options && typeof options.auth !== 'boolean')
        throw new TypeError(`${owner}: auth must be true or false`)
      const methods = checkedMethods(owner, options.methods ?? ['GET'])
      routes.set(path, { path, handler, isProtected: options.auth ?? true, methods })
    },
  }
}

/** What a `Request` cannot have cannot be given to a handler (Fetch, "Methods"). */
const unspeakable = ['CONNECT', 'TRACE', 'TRACK']

function checkedMethods(owner: string, methods: readonly string[]): readonly string[] {
  const names = Array.isArray(methods) ? methods.map((name) => String(name).toUpperCase()) : []
  if (
    names.length === 0 ||
    !names.every((name) => /^[A-Z][A-Z-]*$/.test(name) && !unspeakable.includes(name))
  )
    throw new TypeError(`${owner}: methods must be a list of HTTP methods, such as "GET"`)
  return Object.freeze(names)
}
