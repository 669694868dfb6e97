/** Headers in the order they are shown. */
export type HeaderLines = readonly (readonly [name: string, value: string])[]

/** What a request was made for. */
export type Purpose = 'call' | 'probe' | 'whoami' | 'catalogue' | 'keys'

/** One HTTP request of the page and its answer, as they may be shown: tokens are taken out before it is written down. */
export interface LogEntry {
  readonly id: number
  readonly purpose: Purpose
  /** Milliseconds since 1970. */
  readonly at: number
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly requestHeaders: HeaderLines
  readonly requestBody: string | undefined
  /** `undefined` while it is waited for, and when none came. */
  readonly status: number | undefined
  /** Milliseconds until the head was there; `undefined` as above. */
  readonly ms: number | undefined
  readonly responseHeaders: HeaderLines
  /** What has come so far; cut at a limit. */
  readonly responseBody: string
  readonly isCut: boolean
  /** Whether something may still come. */
  readonly isOpen: boolean
  /** Why there is no answer, or why it broke off. */
  readonly problem: string | undefined
}
