import type { InspectorConfig } from '../../server/pages/inspector-config.ts'
import { openSession, sessionHeaders } from './net/session.ts'

/** The page is served by a program that wants to know who opens it, and does not. */
export class NotLetIn extends Error {
  override readonly name = 'NotLetIn'
}

/** Which of the two pages a document is. */
export function viewOf(from: Document): 'inspector' | 'keys' {
  return meta(from, 'mcp-bearer-view') === 'keys' ? 'keys' : 'inspector'
}

/** Where the files of the page are, relative to the document: `inspector/`. */
export function baseOf(from: Document): string {
  return meta(from, 'mcp-bearer-base') ?? 'inspector/'
}

/**
 * What the page is told of its server.
 * @throws NotLetIn when whoever serves it does not know this page
 */
export async function loadConfig(): Promise<InspectorConfig> {
  await openSession(baseOf(document))
  const answer = await fetch(`${baseOf(document)}config.json`, {
    headers: sessionHeaders(),
    credentials: 'omit',
    cache: 'no-store',
  })
  if (answer.status === 401 || answer.status === 403) throw new NotLetIn()
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`)
  return below(prefixOf(document), (await answer.json()) as InspectorConfig)
}

/** The path below which somebody else's program serves the server; the server itself does not know it. Empty: none. */
function prefixOf(from: Document): string {
  return new URL(`${baseOf(from)}..`, from.baseURI).pathname.replace(/\/$/, '')
}

/** What the page is told, with paths as they are on the origin of the page. */
export function below(prefix: string, told: InspectorConfig): InspectorConfig {
  const paths = (['endpoint', 'openMcp', 'whoami', 'send', 'keys'] as const).flatMap((name) => {
    const path = told[name]
    return path === undefined ? [] : [[name, prefix + path] as const]
  })
  return { ...told, ...Object.fromEntries(paths) }
}

function meta(from: Document, name: string): string | undefined {
  return from.querySelector(`meta[name="${name}"]`)?.getAttribute('content') ?? undefined
}
