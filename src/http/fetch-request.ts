/**
 * The request as handlers may see it: without the credential, which they have no use for and could pass on or print
 * (MCP security best practices, "Token Passthrough"). Changed in place where the runtime allows it.
 */
export function withoutCredentials(request: Request, names: readonly string[]): Request {
  try {
    for (const name of names) request.headers.delete(name)
    return request
  } catch {
    // Workers freeze the headers of incoming requests.
    const headers = new Headers(request.headers)
    for (const name of names) headers.delete(name)
    return new Request(request, { headers })
  }
}
