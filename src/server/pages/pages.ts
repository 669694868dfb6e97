import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import type { Catalogue } from './catalogue.ts'
import { docsPage } from './docs-page.ts'
import { openMcp } from './open-mcp.ts'

/** The pages that show the catalogue of a server. */
export interface PublicPages {
  /**
   * The answer to a request; `undefined` when it is for something else.
   *
   * @param method of the request; only GET and HEAD are answered
   * @param path of the request as it was sent, without query: it is compared and never decoded, so that no other
   *   spelling reaches a page
   */
  answer(method: string, path: string): PlainAnswer | undefined
}

/**
 * The public pages of a server: `/docs` with its script and style, and `/openmcp.json` (requirement A-20: handlers of
 * their own, which take nothing from a request but its method and path). They show every component to everybody; whether
 * they are served at all is for the caller to decide.
 *
 * @param catalogue asked for at each request of `/openmcp.json`; while it gives the same object, the same document is
 *   sent
 */
export function publicPages(catalogue: () => Catalogue): PublicPages {
  const fixed = new Map(docsPage().map(({ path, answer }) => [path, answer]))
  const documents = new WeakMap<Catalogue, PlainAnswer>()

  function document(): PlainAnswer {
    const current = catalogue()
    const kept = documents.get(current)
    if (kept) return kept
    const answer = jsonAnswer(200, openMcp(current), documentHeaders)
    documents.set(current, answer)
    return answer
  }

  return {
    answer(method, path) {
      if (method !== 'GET' && method !== 'HEAD') return undefined
      return path === '/openmcp.json' ? document() : fixed.get(path)
    },
  }
}

const documentHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}
