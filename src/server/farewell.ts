/**
 * The last word to whoever subscribed, so that nothing seems to have gone wrong (MCP "Subscriptions", Graceful Closure);
 * `undefined` for every other message.
 */
export function farewellTo(message: unknown): object | undefined {
  const { method, id } = (message ?? {}) as { method?: unknown; id?: unknown }
  if (method !== 'subscriptions/listen') return undefined
  const _meta = { 'io.modelcontextprotocol/subscriptionId': id }
  return { jsonrpc: '2.0', id, result: { resultType: 'complete', _meta } }
}
