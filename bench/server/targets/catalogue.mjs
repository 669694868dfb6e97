// What every server offers: the same tools and the same resource, so that all do the same work.

export const resource = { uri: 'bench://text', name: 'text', text: 'the text of the resource' }

/** `tool_0` to the last one; they give back their argument. */
export function toolsOf({ tools = 1 }) {
  return Array.from({ length: tools }, (_, n) => ({ name: `tool_${n}`, description: `Tool number ${n}` }))
}

/**
 * The schema of their argument; none for servers that are to start with as little as they can.
 * @param importZod each brings the zod that its packages use
 */
export async function inputOf({ schema = true }, importZod) {
  if (!schema) return undefined
  const { z } = await importZod()
  return z.object({ text: z.string() })
}
