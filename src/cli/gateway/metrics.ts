import type { GatewayCounts } from '../../gateway/front/counts.ts'
import { headOf, sendRefusal } from '../../http/node-request.ts'
import { loopbackOrigins, originPolicy } from '../../http/origin.ts'
import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import { type Listening, listenAddress, listenOn, pathOf, type SiteListener } from '../../server/listen.ts'
import { type Address, isLocal } from './address.ts'

const health = jsonAnswer(200, { status: 'ok' })
const notFound = jsonAnswer(404, { error: 'not_found' })
const notAllowed = jsonAnswer(405, { error: 'method_not_allowed' })
const forbidden = jsonAnswer(403, { error: 'forbidden_origin' })

/** Somebody who scrapes needs one or two. */
const mostConnections = 100

/**
 * Serves `/metrics` and `/health`, to whoever reaches the address: there is nothing in them of a caller or a token. Web
 * pages are refused.
 *
 * @throws Error that says why it cannot listen
 */
export function listenForMetrics(address: Address, counts: GatewayCounts): Promise<Listening> {
  const bound = listenAddress({ ...address, path: '/metrics' })
  return listenOn(
    bound,
    (port) => ({ answer: answering(counts, isLocal(address) ? port : undefined), bodyTimeoutMs: 1000 }),
    mostConnections,
  )
}

/** @param port of this machine, whose names are then the only ones (DNS rebinding) */
function answering(counts: GatewayCounts, port: number | undefined): SiteListener {
  const hosts = port === undefined ? {} : { allowedHosts: loopbackOrigins(port).allowedHosts }
  const origins = originPolicy(hosts)
  return (req, res) => {
    const answer =
      origins.check(headOf(req, res)) === 'ok' ? answerTo(req.method, pathOf(req.url)) : forbidden
    sendRefusal(res, answer)
  }

  function answerTo(method: string | undefined, path: string): PlainAnswer {
    if (path !== '/metrics' && path !== '/health') return notFound
    if (method !== 'GET' && method !== 'HEAD') return notAllowed
    return path === '/health' ? health : exposition(counts.text())
  }
}

/** Prometheus, "Text-based format". */
function exposition(body: string): PlainAnswer {
  return {
    status: 200,
    headers: {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
    },
    body,
  }
}
