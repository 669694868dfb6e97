import type { RequestHead } from '../../http/head.ts'

/** What a request asks for, as far as it decides who may ask. */
export type Wanted = 'document' | 'other'

/**
 * Whether a request comes from the page itself, or from the person who opens it. A page of another site can send requests
 * to this machine as well, and give one of its own names the address of this machine (DNS rebinding). So `Host` must be the
 * very address that was printed; `Origin`, where there is one, that of the page (RFC 6454); and `Sec-Fetch-Site` must say
 * that no other site asks (W3C Fetch Metadata).
 *
 * A document may be come to from anywhere, by a link in a terminal that is a web page, or from a file: it is the same for
 * everybody, holds nothing, and does nothing without its key. It cannot be put into a frame.
 *
 * @param hosts the values of `Host` that are taken
 */
export function isOwnRequest(head: RequestHead, hosts: ReadonlySet<string>, wanted: Wanted): boolean {
  const [host, second] = head.header('host')
  if (host === undefined || second !== undefined || !hosts.has(host)) return false
  const origins = head.header('origin')
  if (origins.length > 1 || !origins.every((origin) => origin === `http://${host}`)) return false
  return head.header('sec-fetch-site').every((site) => {
    if (site === 'same-origin') return true
    return wanted === 'document' && (site === 'none' || isNavigation(head))
  })
}

/** Whether the address bar will show it. */
function isNavigation(head: RequestHead): boolean {
  const [mode] = head.header('sec-fetch-mode')
  const [destination] = head.header('sec-fetch-dest')
  return mode === 'navigate' && destination === 'document'
}
