/**
 * The canonical URI of an MCP server (MCP authorization "Canonical Server URI", RFC 8707 section 2): scheme and host in
 * lower case, no query, no fragment, and no slash at the end of a bare origin. The same server is the same text.
 */
export function canonicalResource(url: string | URL): string {
  const { origin, pathname } = new URL(url)
  return pathname === '/' ? origin : `${origin}${pathname}`
}
