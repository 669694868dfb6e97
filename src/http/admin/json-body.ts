/** The body cannot be read, or is no JSON object. */
export class BadBody extends Error {
  override readonly name = 'BadBody'
}

/** Bytes. A thousand keys to import fit in. */
const largest = 1_048_576

/**
 * The JSON object a request holds; `{}` when it holds nothing.
 * @throws BadBody
 */
export async function readJsonBody(request: Request): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(request)
  if (text === '') return {}
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadBody('the body must be a JSON object')
  }
  return value as Readonly<Record<string, unknown>>
}

/** Counted while it comes in: nobody has to tell the truth about its length. */
async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > largest) throw new BadBody(`the body must not be longer than ${largest} bytes`)
    chunks.push(chunk)
  }
  return new Blob(chunks as Uint8Array<ArrayBuffer>[]).text()
}

/** The error of `JSON.parse` repeats the text, in which there may be a key. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BadBody('the body is not valid JSON')
  }
}
