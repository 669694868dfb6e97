import { conceal } from '../../client/fetch/secrets.ts'
import { redact, secretsOf } from '../../core/redact.ts'
import { redacted } from '../../core/redacted.ts'
import type { ProbeRequest, ProbeResponse } from './exchange.ts'
import type { SeenExchange } from './finding.ts'

/** Takes out of a probe what nobody may see. */
export interface Veil {
  /** Remembers something that was sent and is, or was made of, a secret. */
  hide(secret: string): void
  text(text: string): string
  exchange(seen: SeenExchange): SeenExchange
}

/** Characters of a body that are kept as evidence. */
const bodyLength = 2048
/** Characters of a header, and headers of a message. */
const headerLength = 512
const headerCount = 40

/** @param secrets known from the start: the token, and the values in the query of the endpoint */
export function veil(secrets: readonly string[]): Veil {
  const known = new Set<string>()
  const hide = (secret: string) => {
    for (const one of secretsOf(secret)) if (one !== '') known.add(one)
  }
  for (const secret of secrets) hide(secret)

  const text = (one: string) => {
    const all = [...known]
    return conceal(redact(one, all), all)
  }
  const short = (one: string, length: number) => {
    const clean = text(one)
    return clean.length > length ? `${clean.slice(0, length)}…` : clean
  }
  const headers = (lines: ProbeRequest['headers']) =>
    lines
      .slice(0, headerCount)
      .map(([name, value]) => [name, short(openly(name.toLowerCase(), value), headerLength)] as const)

  function response(given: ProbeResponse): ProbeResponse {
    const body = short(given.body, bodyLength)
    return {
      ...given,
      headers: headers(given.headers),
      body,
      isCut: given.isCut || body.length > bodyLength,
    }
  }

  return {
    hide,
    text,
    exchange: ({ request, response: given, problem }) => ({
      request: {
        ...request,
        target: text(request.target),
        headers: headers(request.headers),
        ...(request.body !== undefined && { body: short(request.body, bodyLength) }),
      },
      response: given && response(given),
      ...(problem !== undefined && { problem: text(problem) }),
    }),
  }
}

/** Headers whose value is a credential, whatever it looks like. */
function openly(name: string, value: string): string {
  switch (name) {
    case 'authorization':
    case 'proxy-authorization':
      return value.replace(/(^|,\s*)([A-Za-z]+)\s+[^,]+/g, `$1$2 ${redacted}`)
    case 'set-cookie':
    case 'cookie':
      return value.replace(/^([^=;]{0,100})=[^;]*/, `$1=${redacted}`)
    case 'mcp-session-id':
      return redacted
    default:
      return value
  }
}
