/** Where a host takes the token from, as `--auth` says it. */
export type HostAuth =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }

/** What a host shall be told. Nothing in it is secret. */
export interface HostRequest {
  /** What the host calls the server. */
  readonly name: string
  readonly url: string
  /** `undefined` when a header is the credential. */
  readonly auth: HostAuth | undefined
  /** More headers; `${NAME}` in a value is an environment variable. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** The configuration of one server for one host. */
export interface HostEntry {
  /** Ready to be pasted: no token, only the place where it comes from. */
  readonly text: string
  /** For the person: how else it gets there, what the host does with it. A line each. */
  readonly notes: readonly string[]
}

/** A program that calls MCP servers. */
export interface Host {
  readonly title: string
  /** Which file it goes into. */
  readonly file: string
  /** Where the token comes from unless the person says something else. */
  readonly usual: HostAuth['kind']
  /** Whether it asks the person for the token, instead of looking for a variable. Default: false. */
  readonly asks?: true
  /** How it is started again, so that it reads file and variables anew. */
  readonly restart: string
  /** @throws UsageError when the host has no way to write that down */
  entry(request: HostRequest): HostEntry
}

/** JSON as the hosts write it. */
export function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}
