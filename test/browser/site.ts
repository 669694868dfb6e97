import { createServer } from 'node:http'
import { sendRefusal } from '../../src/http/node-request.ts'
import { jsonAnswer } from '../../src/http/refusal.ts'
import type { Catalogue } from '../../src/server/pages/catalogue.ts'
import { publicPages } from '../../src/server/pages/pages.ts'
import { listening } from '../http/support.ts'

/** The public pages of a catalogue on a port of their own. */
export interface Site {
  readonly origin: string
  close(): Promise<void>
}

/**
 * The pages alone, for catalogues that no server can have: names that are markup, a catalogue that cannot be made.
 *
 * @param catalogue that is shown; may throw
 */
export async function siteOf(catalogue: () => Catalogue): Promise<Site> {
  const pages = publicPages({ catalogue, inspector: () => ({ kind: 'server', name: 'no server' }) })
  const server = createServer((req, res) => {
    const path = (req.url ?? '').replace(/\?.*$/, '')
    try {
      const document = pages.answer(req.method ?? '', path)
      const isHere = document !== undefined && typeof document !== 'function'
      sendRefusal(res, isHere ? document : jsonAnswer(404, { error: 'not_found' }))
    } catch {
      sendRefusal(res, jsonAnswer(500, { error: 'server_error' }))
    }
  })
  const { port, close } = await listening(server)
  return { origin: `http://127.0.0.1:${port}`, close }
}
