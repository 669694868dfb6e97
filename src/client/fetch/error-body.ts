/** How much of an error body is read, and for how long. */
export interface BodyLimits {
  /** Bytes. Default: 65536. */
  readonly bytes?: number
  /** Milliseconds. Default: 5000. */
  readonly milliseconds?: number
}

/**
 * Reads the body of an error answer as text, within bounds: what is too much or too late is left out, and the
 * connection given up. Never throws; a server cannot hold a client up with the text of a refusal.
 */
export async function readErrorBody(
  response: Response,
  { bytes = 65_536, milliseconds = 5_000 }: BodyLimits = {},
): Promise<string> {
  const reader = response.body?.getReader()
  if (!reader) return ''
  const stop = (): void => void reader.cancel().catch(() => {})
  const timer = setTimeout(stop, milliseconds)
  const decoder = new TextDecoder()
  let text = ''
  let left = bytes
  try {
    while (left > 0) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value.subarray(0, left), { stream: true })
      left -= value.length
    }
  } catch {
    // Cut off: what arrived is all there is.
  } finally {
    clearTimeout(timer)
    if (left <= 0) stop()
  }
  return text + decoder.decode()
}
