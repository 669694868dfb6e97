import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import type { Catalogue } from './catalogue.ts'
import { docsPage } from './docs-page.ts'
import type { InspectorConfig } from './inspector-config.ts'
import { inspectorPage, isInspectorFile } from './inspector-page.ts'
import { openMcp } from './open-mcp.ts'

/** A public document, or what loads it first; loading may fail. */
export type PublicDocument = PlainAnswer | (() => Promise<PlainAnswer>)

/** The pages that show what a server has. */
export interface PublicPages {
  /**
   * The answer to a request; `undefined` when it is for something else.
   *
   * @param method of the request; only GET and HEAD are answered
   * @param path of the request as it was sent, without query: it is compared and never decoded, so that no other
   *   spelling reaches a page
   */
  answer(method: string, path: string): PublicDocument | undefined
}

/** What the pages show. */
export interface PageContents {
  /** While it gives the same object, the same document is sent. */
  catalogue(): Catalogue
  /** What the inspector is told. Its page for keys is there when there is an API for them. */
  inspector(): InspectorConfig
}

/**
 * The public pages of a server: `/docs` with its script and style, `/openmcp.json`, and `/inspector` (requirement A-20:
 * handlers of their own, which take nothing from a request but its method and path). They show every component to
 * everybody; whether they are served at all is for the caller to decide.
 *
 * @param contents asked for at each request of what shows them
 * @param load gives the files of the inspector. Default: those of this package
 */
export function publicPages(contents: PageContents, load = inspectorPage): PublicPages {
  const fixed = new Map(docsPage().map(({ path, answer }) => [path, answer]))
  const documents = new WeakMap<Catalogue, PlainAnswer>()
  const inspectorFile = loadedFiles(load)

  function openMcpDocument(): PlainAnswer {
    const current = contents.catalogue()
    const kept = documents.get(current)
    if (kept) return kept
    const answer = jsonAnswer(200, openMcp(current), documentHeaders)
    documents.set(current, answer)
    return answer
  }

  return {
    answer(method, path) {
      if (method !== 'GET' && method !== 'HEAD') return undefined
      switch (path) {
        case '/openmcp.json':
          return openMcpDocument()
        case '/inspector/config.json':
          return jsonAnswer(200, contents.inspector(), documentHeaders)
        case '/inspector/keys':
          return contents.inspector().keys === undefined ? undefined : inspectorFile(path)
        case '/inspector':
          return inspectorFile(path)
        default:
          return isInspectorFile(path) ? inspectorFile(path) : fixed.get(path)
      }
    },
  }
}

/** Loads files when the first of them is asked for; after a failure, when one is asked for again. */
function loadedFiles(load: typeof inspectorPage): (path: string) => () => Promise<PlainAnswer> {
  let loading: Promise<ReadonlyMap<string, PlainAnswer>> | undefined
  const loadOnce = async () => {
    loading ??= load().then((files) => new Map(files.map(({ path, answer }) => [path, answer])))
    try {
      return await loading
    } catch (error) {
      loading = undefined
      throw error
    }
  }
  return (path) => async () => {
    return (await loadOnce()).get(path) ?? notFound
  }
}

const notFound = jsonAnswer(404, { error: 'not_found' })

const documentHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}
