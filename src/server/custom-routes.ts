import type { AccessToken } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { KeysAdmin } from '../http/admin/index.ts'

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

/** Routes by their path, compared as it is, and APIs for keys with all that lies below theirs. */
export interface CustomRoutes {
  add(path: string, handler: RouteHandler, options: RouteOptions): void
  get(path: string): CustomRoute | undefined
  values(): Iterable<CustomRoute>
  /** @throws TypeError when it has no path, or its path is not free */
  mount(admin: KeysAdmin): void
  /** The API for keys that a path lies below. */
  keysAt(path: string): KeysAdmin | undefined
  /** The path of the API for keys that was mounted first. */
  readonly keysPath: string | undefined
}

/** Paths that mean something already, and what lies below some of them. */
const taken = ['/health', '/docs', '/openmcp.json', '/inspector']
const takenBelow = ['/docs/', '/inspector/', '/.well-known/oauth-']

/** An empty {@link CustomRoutes}. */
export function customRoutes(): CustomRoutes {
  const routes = new Map<string, CustomRoute>()
  const mounts: KeysAdmin[] = []
  return {
    get: (path) => routes.get(path),
    values: () => routes.values(),
    keysAt: (path) => mounts.find((admin) => path.startsWith(`${admin.path}/`)),
    get keysPath() {
      return mounts[0]?.path
    },
    mount(admin) {
      const { path } = admin
      if (path === '') throw new TypeError('mount: give keysAdmin a path, such as "/admin"')
      const used = [...taken, ...routes.keys(), ...mounts.map((each) => each.path)]
      if (used.some((other) => isWithin(path, other) || isWithin(other, path)))
        throw new TypeError(`mount: the path "${path}" is taken`)
      mounts.push(admin)
    },
    add(path, handler, options) {
      const owner = `route "${path}"`
      if (typeof path !== 'string' || !/^\/[\w\-./~]*$/.test(path) || /\/\.\.?(?:\/|$)/.test(path))
        throw new TypeError(
          'route: the path must begin with "/" and hold no query, no pattern, no dot segment and no encoding',
        )
      const isTaken = taken.includes(path) || takenBelow.some((start) => path.startsWith(start))
      const isOfKeys = mounts.some((admin) => isWithin(path, admin.path))
      if (isTaken || isOfKeys || routes.has(path)) throw new TypeError(`${owner}: the path is taken`)
      if (typeof handler !== 'function') throw new TypeError(`${owner}: the handler must be a function`)
      checkOptions(owner, options, ['auth', 'methods'])
      if ('auth' in options && typeof options.auth !== 'boolean')
        throw new TypeError(`${owner}: auth must be true or false`)
      const methods = checkedMethods(owner, options.methods ?? ['GET'])
      routes.set(path, { path, handler, isProtected: options.auth ?? true, methods })
    },
  }
}

function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`)
}

/** What a `Request` cannot have cannot be given to a handler (Fetch, "Methods"). */
export const unspeakable: readonly string[] = ['CONNECT', 'TRACE', 'TRACK']

function checkedMethods(owner: string, methods: readonly string[]): readonly string[] {
  const names = Array.isArray(methods) ? methods.map((name) => String(name).toUpperCase()) : []
  if (
    names.length === 0 ||
    !names.every((name) => /^[A-Z][A-Z-]*$/.test(name) && !unspeakable.includes(name))
  )
    throw new TypeError(`${owner}: methods must be a list of HTTP methods, such as "GET"`)
  return Object.freeze(names)
}
