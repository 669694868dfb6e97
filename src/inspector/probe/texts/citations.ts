import type { Citation } from '../finding.ts'

const mcp = 'https://modelcontextprotocol.io/specification/2026-07-28/basic'

/** A section of an RFC. */
export function rfc(number: number, section: string): Citation {
  return {
    name: `RFC ${number} section ${section}`,
    url: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
  }
}

/** Access tokens go with every request, in the `Authorization` header. */
export const tokenRequirements: Citation = {
  name: 'MCP 2026-07-28, Authorization, "Token Requirements"',
  url: `${mcp}/authorization#token-requirements`,
}

/** Servers validate tokens, and that they were issued for them; else 401. */
export const tokenHandling: Citation = {
  name: 'MCP 2026-07-28, Authorization, "Token Handling"',
  url: `${mcp}/authorization#token-handling`,
}

export const errorHandling: Citation = {
  name: 'MCP 2026-07-28, Authorization, "Error Handling"',
  url: `${mcp}/authorization#error-handling`,
}

export const discovery: Citation = {
  name: 'MCP 2026-07-28, Authorization Server Discovery',
  url: `${mcp}/authorization/authorization-server-discovery`,
}

export const streamableHttp: Citation = {
  name: 'MCP 2026-07-28, Streamable HTTP',
  url: `${mcp}/transports/streamable-http`,
}

/** Sessions are of revisions up to 2025-11-25. */
export const sessionManagement: Citation = {
  name: 'MCP 2025-11-25, Transports, "Session Management"',
  url: 'https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management',
}

export const misconfiguration: Citation = {
  name: 'OWASP API Security Top 10 (2023), API8 Security Misconfiguration',
  url: 'https://owasp.org/API-Security/editions/2023/en/0xa8-security-misconfiguration/',
}

/** A section of the Fetch standard. */
export function fetchStandard(title: string, anchor: string): Citation {
  return { name: `Fetch, "${title}"`, url: `https://fetch.spec.whatwg.org/#${anchor}` }
}
