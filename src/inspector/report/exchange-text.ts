import { visible } from '../../core/visible.ts'
import type { SeenExchange } from '../probe/finding.ts'
import { visibleLine } from './visible-line.ts'

type Headers = readonly (readonly [name: string, value: string])[]

/** What of a request decides how a server answers, and what of an answer a finding is about. */
const telling = {
  request: ['authorization', 'cookie', 'origin', 'host', 'mcp-session-id', 'access-control-request-headers'],
  response: [
    'www-authenticate',
    'location',
    'set-cookie',
    'access-control-allow-origin',
    'access-control-allow-credentials',
    'access-control-allow-headers',
    'access-control-expose-headers',
  ],
}

/** An exchange as two texts, as it went over the wire. For people: what would deceive a reader is written out. */
export function exchangeText({ request, response, problem }: SeenExchange): {
  request: string
  response: string
} {
  const { method, target, headers, body } = request
  return {
    request: whole(`${method} ${target}`, headers, body),
    response:
      response === undefined
        ? visible(problem ?? 'no answer')
        : whole(
            `HTTP ${response.status}`,
            response.headers,
            response.isCut ? `${response.body}\n… (the rest is left out)` : response.body,
          ),
  }
}

/** An exchange in a few lines: the request line, the status, and the headers that matter. `>` was sent, `<` came back. */
export function evidenceLines({ request, response, problem }: SeenExchange): string[] {
  return [
    `> ${visibleLine(`${request.method} ${request.target}`)}`,
    ...some(request.headers, telling.request).map((line) => `> ${line}`),
    response === undefined ? `< ${visibleLine(problem ?? 'no answer')}` : `< HTTP ${response.status}`,
    ...some(response?.headers ?? [], telling.response).map((line) => `< ${line}`),
  ]
}

function whole(first: string, headers: Headers, body = ''): string {
  const lines = [visibleLine(first, Number.POSITIVE_INFINITY), ...headers.map(headerLine)]
  return [...lines, ...(body === '' ? [] : ['', visible(body)])].join('\n')
}

function some(headers: Headers, names: readonly string[]): string[] {
  return headers
    .filter(([name]) => names.includes(name.toLowerCase()))
    .map((header) => visibleLine(headerLine(header), 300))
}

function headerLine([name, value]: readonly [name: string, value: string]): string {
  return visibleLine(`${name}: ${value}`, Number.POSITIVE_INFINITY)
}
