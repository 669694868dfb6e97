import type { KeysAdmin } from '../http/admin/index.ts'
import { BadBody } from '../http/admin/json-body.ts'
import { type Arrival, noteArrival } from '../http/arrival.ts'
import { clientAddress } from '../http/client-address.ts'
import type { RequestHead } from '../http/head.ts'
import type { OriginPolicy } from '../http/origin.ts'
import { jsonAnswer, type PlainAnswer } from '../http/refusal.ts'
import type { Attempting } from './attempting.ts'
import { type BodyProblem, bodyProblemAnswer } from './body.ts'
import { unspeakable } from './custom-routes.ts'
import type { Door } from './door.ts'
import { closed, type Endpoint } from './endpoint.ts'
import type { RouteVisit } from './route-answer.ts'

/** Tells how a request came: from which address, and who counts what it tries. */
export type ArrivalReader = (head: RequestHead) => Arrival

/** Makes an {@link ArrivalReader}. */
export function arrivalReader(trustProxy: number | undefined, attempting: Attempting): ArrivalReader {
  const addressOf = clientAddress(trustProxy)
  return (head) => ({ remoteAddress: addressOf(head), attempts: attempting(head) })
}

/**
 * Passes a request on to an API for keys, its credential left in: the API has a gate of its own. Before that gate stands
 * what stands before every other: `Host` and `Origin`, the count of bad credentials, the limits of a body. The body is
 * read when the API asks for it, so nothing of it is for a caller who is refused.
 */
export async function answerKeys(
  admin: KeysAdmin,
  visit: RouteVisit,
  door: Door,
  endpoint: Endpoint,
  arrivalOf: ArrivalReader,
): Promise<PlainAnswer> {
  const { incoming } = visit
  const { method } = incoming.head
  if (door.origins.check(incoming.head) === 'forbidden') return door.refuse('forbidden_origin')
  if (endpoint.isClosed) return closed
  // A `Request` makes others of some that are not in capitals, and cannot have the rest (Fetch, "Methods").
  if (unspeakable.includes(method) || method !== method.toUpperCase())
    return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: 'GET, POST, PATCH' })
  const body = method === 'GET' || method === 'HEAD' ? undefined : bodyWhenAsked(visit)
  const request = incoming.whole(body?.stream)
  noteArrival(request, arrivalOf(incoming.head))
  const response = await admin.fetch(request)
  // What the API says of a body it did not get is less than what is known here.
  if (body?.problem !== undefined) return bodyProblemAnswer(body.problem, { error: 'invalid_request' })
  // In one piece: only so a refused caller who goes on sending is not listened to for long.
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  }
}

/** A door through which no other origin reads anything: the API promises that to whoever runs it. */
export function sameOriginOnly(door: Door): Door {
  const { check } = door.origins
  const origins: OriginPolicy = { check, preflight: () => undefined, corsHeaders: () => undefined }
  return { ...door, origins }
}

/** A body that nobody reads before somebody asks for it. */
interface BodyWhenAsked {
  readonly stream: ReadableStream<Uint8Array>
  /** Why it could not be read, once somebody has tried. */
  problem: BodyProblem | undefined
}

function bodyWhenAsked(visit: RouteVisit): BodyWhenAsked {
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const read = await visit.bytes()
    if (typeof read === 'string') {
      body.problem = read
      throw new BadBody('the body could not be read')
    }
    for (const chunk of read) controller.enqueue(chunk)
    controller.close()
  }
  const stream = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 })
  const body: BodyWhenAsked = { stream, problem: undefined }
  return body
}
