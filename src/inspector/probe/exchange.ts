/** One HTTP request, as it goes over the wire. */
export interface ProbeRequest {
  readonly method: string
  /** Path and query as they stand on the request line: never normalised. */
  readonly target: string
  /** In this order; a name may occur twice. Not `Host`, unless it is to be another one than that of the origin. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** What came back. */
export interface ProbeResponse {
  readonly status: number
  /** Names in lower case; several lines of a header are several entries. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Cut at a limit; of an event stream what came until the first answer, or until it was waited for long enough. */
  readonly body: string
  readonly isCut: boolean
  /** Milliseconds until the head was there. */
  readonly ms: number
}

/** Sends the requests of a probe, all to one origin. */
export interface ProbeSender {
  /**
   * Whether it can send anything: two lines of one header, another `Host` or `Origin`, a path that is not normalised. A web
   * page cannot.
   */
  readonly isRaw: boolean
  /**
   * Follows no redirect, keeps no cookie, retries nothing.
   * @throws ProbeUnreachable when no answer comes
   */
  send(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResponse>
}

/** No answer came: the connection failed, broke, or nothing came in time. */
export class ProbeUnreachable extends Error {
  override readonly name = 'ProbeUnreachable'
}
