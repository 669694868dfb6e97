import type { ProbeRequest } from '../probe/exchange.ts'

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/
/** RFC 9112 section 3.2, in any spelling that one line can hold: what a server makes of a strange one is the question. */
const originForm = /^\/[\x21-\x7E\x80-\xFF]*$/
/** A value may be wrong in every way but one: it ends with the line. */
const value = /^[\t\x20-\x7E\x80-\xFF]*$/
const mostHeaders = 100
/** Characters of the request line, and of all headers. */
const longestHead = 32_768

/**
 * Reads what the page wants to have sent exactly as it is. The target is a path of the server: with a whole URL in its
 * place a proxy behind the server would be asked for something elsewhere.
 *
 * @returns why not, as a sentence
 */
export function readProbeRequest(body: unknown): ProbeRequest | string {
  if (typeof body !== 'object' || body === null) return 'The request must be a JSON object.'
  const { method, target, headers, body: text } = body as Readonly<Record<string, unknown>>
  if (typeof method !== 'string' || !token.test(method) || /^connect$/i.test(method))
    return 'The method must be one, and not CONNECT.'
  if (typeof target !== 'string' || !originForm.test(target))
    return 'The target must be a path of the server.'
  if (text !== undefined && typeof text !== 'string') return 'The body must be a text.'
  if (!Array.isArray(headers) || headers.length > mostHeaders || !headers.every(isHeader))
    return `The headers must be a list of at most ${mostHeaders} names and values.`
  const length = headers.flat().reduce((sum, word) => sum + word.length, target.length)
  if (length > longestHead) return `The head must not be longer than ${longestHead} characters.`
  if (!isWithinLength(headers, text ?? '')) return 'The body must not be longer than the headers say.'
  return { method, target, headers, ...(text !== undefined && { body: text }) }
}

/** What comes behind the end of a body is another request, which nobody has looked at (RFC 9112 section 11.2). */
function isWithinLength(headers: readonly (readonly [string, string])[], body: string): boolean {
  const said = headers.filter(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name))
  const [[name, length] = ['', '']] = said
  if (body === '' || said.length === 0) return true
  const isLength = said.length === 1 && /^content-length$/i.test(name) && /^\d{1,15}$/.test(length)
  return isLength && Number(length) >= new TextEncoder().encode(body).length
}

function isHeader(line: unknown): line is [string, string] {
  if (!Array.isArray(line) || line.length !== 2) return false
  const [name, text] = line as unknown[]
  return typeof name === 'string' && token.test(name) && typeof text === 'string' && value.test(text)
}
