import { ProbeUnreachable } from '../probe/exchange.ts'

/**
 * What a failed request becomes, for a person. The error of a socket may hold bytes that came back or the request itself:
 * only its code is looked at.
 */
export function unreachableSentence(error: unknown, host: string): string {
  if (error instanceof ProbeUnreachable) return error.message
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
  const known = sentences.find(([pattern]) => pattern.test(code))?.[1]
  if (known) return known(host)
  return `${host} cannot be reached${/^\w{1,60}$/.test(code) ? ` (${code})` : ''}.`
}

const sentences: readonly (readonly [RegExp, (host: string) => string])[] = [
  [
    /^ECONNREFUSED$/,
    (host) => `Nothing listens on ${host}: the connection was refused. Is the server running?`,
  ],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, (host) => `The name of ${host} is not known. Is it spelled correctly?`],
  [/^(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/, (host) => `${host} cannot be reached over the network.`],
  [/^(?:ECONNRESET|EPIPE)$/, (host) => `${host} broke the connection off before it answered.`],
  [/^CERT_HAS_EXPIRED$/, (host) => `The certificate of ${host} has expired.`],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, (host) => `The certificate that ${host} shows is for another name.`],
  [
    /SELF_SIGNED|UNABLE_TO|^CERT_/,
    (host) =>
      `The certificate of ${host} is signed by nobody this machine trusts. Name its authority in NODE_EXTRA_CA_CERTS.`,
  ],
  [
    /^(?:EPROTO|ERR_SSL_)/,
    (host) => `${host} does not speak TLS as expected. Should the address begin with http:// instead?`,
  ],
  [/^HPE_HEADER_OVERFLOW$/, (host) => `${host} answered with more headers than can be read.`],
  [/^HPE_/, (host) => `What ${host} answered is not HTTP. Should the address begin with https:// instead?`],
  [
    /^ERR_(?:INVALID_CHAR|UNESCAPED_CHARACTERS|INVALID_HTTP_TOKEN)/,
    () => 'The request holds characters that HTTP cannot carry.',
  ],
]
