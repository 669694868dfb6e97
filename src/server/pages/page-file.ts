import type { PlainAnswer } from '../../http/refusal.ts'

/** A file of a page, and the path it is served under. */
export interface PageFile {
  readonly path: string
  readonly answer: PlainAnswer
}

/** What a page may load beside its own script and style (Content Security Policy Level 3). */
export interface PageSources {
  /** For `img-src`. Default: `'self' data:`. */
  readonly images?: string
  /** For `media-src`. Default: none. */
  readonly media?: string
}

/**
 * One file of a page. Nothing from elsewhere, nothing inline, no frames. Trusted types: where the browser knows them, text
 * cannot become markup even by mistake (CSP 3; Trusted Types, section 4.3).
 *
 * @param type without `charset`
 */
export function pageAnswer(type: string, body: string, sources: PageSources = {}): PlainAnswer {
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'content-length': String(new TextEncoder().encode(body).length),
    'cache-control': 'no-cache',
    'content-security-policy': contentSecurityPolicy(sources),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  }
  return Object.freeze({ status: 200, headers: Object.freeze(headers), body })
}

function contentSecurityPolicy({ images = "'self' data:", media }: PageSources): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    `img-src ${images}`,
    ...(media === undefined ? [] : [`media-src ${media}`]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}
