import type { RpcId, RpcMessage } from '../message.ts'
import type { Link } from './bridge-link.ts'

/** Questions of the server's that the host may have to answer at one time; more of them drown a person. */
const most = 256

/** A question of the server's, on its way back. */
export interface Answered {
  readonly link: Link
  /** The host's answer, under the id of the server's. */
  readonly message: RpcMessage
}

/**
 * What the server has asked the host (MCP "Elicitation", "Sampling", "Roots"). A new session counts its ids anew, so
 * that the host sees ids of ours: an answer to what the old session asked is never one to the new session's question.
 */
export interface Questions {
  /** What the host is asked; `undefined` when there are too many questions. */
  asked(link: Link, question: RpcMessage): RpcMessage | undefined
  /** Takes the host's answer; `undefined` when nobody waits for it any more. */
  answered(answer: RpcMessage): Answered | undefined
  /** The id under which the host knows a question. */
  idOf(link: Link, id: unknown): RpcId | undefined
  /** Nobody waits on that link any more. Gives the ids under which the host knows its questions. */
  dropped(link: Link): readonly RpcId[]
}

export function questions(): Questions {
  const open = new Map<RpcId, { readonly link: Link; readonly id: RpcId }>()
  let last = 0
  return {
    asked(link, question) {
      if (open.size >= most || question.id === undefined) return undefined
      const id = ++last
      open.set(id, { link, id: question.id })
      return { ...question, id }
    },
    answered(answer) {
      const known = answer.id === undefined ? undefined : open.get(answer.id)
      if (known === undefined || answer.id === undefined) return undefined
      open.delete(answer.id)
      return { link: known.link, message: { ...answer, id: known.id } }
    },
    idOf: (link, id) => [...open].find(([, known]) => known.link === link && known.id === id)?.[0],
    dropped(link) {
      const ids = [...open].filter(([, known]) => known.link === link).map(([id]) => id)
      for (const id of ids) open.delete(id)
      return ids
    },
  }
}
