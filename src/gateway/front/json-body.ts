import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import { rpcCode, rpcErrorMessage } from '../../server/rpc-error.ts'
import { countMembers, countNames, isObject } from '../../verify/json.ts'
import { isRpcMessage, type RpcMessage } from '../message.ts'

/** A message that may be passed on as the text it came in, or the answer that refuses it. */
export type ReadMessage =
  | { readonly message: RpcMessage; readonly refused?: undefined }
  | { readonly message?: undefined; readonly refused: PlainAnswer }

/** Deepest nesting taken: more than any message needs, and no reader's stack is at risk. */
const maxDepth = 128

/**
 * Reads one message of JSON-RPC 2.0 that whoever gets the same text reads in the same way. What a gateway decides by one
 * reading and a server does by another would be a way past every rule: so no member may stand in it twice (RFC 8259
 * section 4 leaves open which one counts), and none may be another spelling of one that decides something, because some
 * readers ignore case, or take `resource_subscriptions` for `resourceSubscriptions`.
 *
 * @param text a body that was valid UTF-8
 */
export function readMessage(text: string): ReadMessage {
  const names = countNames(text, maxDepth)
  if (names === undefined) return { refused: answers.tooDeep }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { refused: answers.notJson }
  }
  // MCP 2025-06-18 took batches out; what is one message is one decision.
  if (Array.isArray(value)) return { refused: answers.batch }
  if (!isMessage(value)) return { refused: answers.noMessage }
  // Of members with one name, however it is spelt, the parser keeps the last: then some are missing.
  if (countMembers(value) !== names) return { refused: answers.twice }
  return isAmbiguous(value) ? { refused: answers.ambiguous } : { message: value }
}

/** What is a question and an answer at once is one to one reader and the other to another. */
function isMessage(value: unknown): value is RpcMessage {
  return isRpcMessage(value) && (value.method === undefined || !('result' in value || 'error' in value))
}

const plain = /^[a-z]+$/

/** The members of one object that decide something. */
interface Deciding {
  readonly exact: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

const ofMessage = deciding('jsonrpc', 'id', 'method', 'params', 'result', 'error')
const ofParams = deciding('name', 'uri', 'arguments', '_meta', 'ref', 'notifications', 'taskId', 'cursor')
const ofReference = deciding('type', 'name', 'uri')
const ofNotifications = deciding('resourceSubscriptions')

function isAmbiguous(message: RpcMessage): boolean {
  if (hasOtherSpelling(message, ofMessage)) return true
  const { params } = message
  if (params === undefined) return false
  return (
    hasOtherSpelling(params, ofParams) ||
    hasOtherSpelling(params.ref, ofReference) ||
    hasOtherSpelling(params.notifications, ofNotifications)
  )
}

function hasOtherSpelling(value: unknown, names: Deciding): boolean {
  if (!isObject(value)) return false
  for (const name of Object.keys(value)) {
    if (!names.exact.has(name) && names.folded.has(folded(name))) return true
  }
  return false
}

function deciding(...names: readonly string[]): Deciding {
  return { exact: new Set(names), folded: new Set(names.map(folded)) }
}

/** One spelling for all that some reader takes for one. Up and down: `ſ` and the Kelvin sign are letters to some. */
function folded(name: string): string {
  return plain.test(name) ? name : name.toUpperCase().toLowerCase().replace(/[_-]/g, '')
}

function answer(code: number, message: string): PlainAnswer {
  return jsonAnswer(400, rpcErrorMessage(null, code, message))
}

const answers = {
  notJson: answer(rpcCode.parseError, 'Parse error: the request body is not valid JSON'),
  tooDeep: answer(rpcCode.invalidRequest, 'The request body is nested too deeply'),
  batch: answer(rpcCode.invalidRequest, 'One message for each POST; batches are not supported'),
  noMessage: answer(rpcCode.invalidRequest, 'The request body is not a message of JSON-RPC 2.0'),
  twice: answer(rpcCode.invalidRequest, 'A member stands in the request body twice'),
  ambiguous: answer(
    rpcCode.invalidRequest,
    'A member of the request body is spelt almost like one of the protocol; readers could take it for that',
  ),
} as const satisfies Readonly<Record<string, PlainAnswer>>
