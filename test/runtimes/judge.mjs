/**
 * What every runtime is asked. Plain JavaScript without a single import, because it runs where no compiler is, and in
 * workerd, where no file is.
 *
 * @param verify the built `mcp-bearer/verify`
 * @param vectors a list of `{ name, options, token, now }`, and `keySet` where it is not to be fetched
 * @returns what became of each token, and what the runtime says of itself; plain JSON
 */
export async function judgeAll(verify, vectors) {
  const outcomes = {}
  const tokens = {}
  for (const vector of vectors) {
    const { outcome, accepted } = await judge(verify, vector)
    outcomes[vector.name] = outcome
    if (accepted) tokens[vector.name] = accepted
  }
  return { runtime: nameOfRuntime(), nodeCrypto: await lookForNodeCrypto(), outcomes, tokens }
}

/** `accepted`, the reason of the refusal, the code of an `AuthError`, `unsupported` for a key, or what went wrong. */
async function judge({ jwtVerifier }, { options, token, now, keySet }) {
  const refusals = []
  const environment = {
    clock: () => now * 1000,
    logger() {},
    onRefused: (refusal) => refusals.push(typeof refusal === 'string' ? refusal : refusal.reason),
    ...(keySet && { fetch: async () => Response.json(keySet) }),
  }
  let verifier
  try {
    verifier = jwtVerifier(options, environment)
  } catch (error) {
    const isOfKey = error instanceof TypeError && error.message.startsWith('publicKey ')
    return { outcome: isOfKey ? 'unsupported' : `not made: ${error}` }
  }
  // Twice: a token that was good is remembered, and not judged the same way again.
  const [first, again] = [await ask(verifier, token, refusals), await ask(verifier, token, refusals)]
  return first.outcome === again.outcome ? first : { outcome: `${first.outcome}, then ${again.outcome}` }
}

async function ask(verifier, token, refusals) {
  try {
    const accepted = await verifier.verifyToken(token)
    const reasons = refusals.splice(0)
    if (accepted === null) return { outcome: reasons.join(' and ') || 'refused without a reason' }
    return { outcome: ['accepted', ...reasons].join(' and '), accepted: accepted.toJSON() }
  } catch (error) {
    return { outcome: error.code ?? `threw ${error}` }
  }
}

/** Deno and Bun say `process.versions.node` too, so they are asked first. */
function nameOfRuntime() {
  const { Deno, Bun, navigator, process } = globalThis
  if (Deno) return `deno ${Deno.version.deno}`
  if (Bun) return `bun ${Bun.version}`
  if (navigator?.userAgent === 'Cloudflare-Workers') return 'workerd'
  return `node ${process.versions.node}`
}

/** In both ways in which code can get at it. */
async function lookForNodeCrypto() {
  const asked = globalThis.process?.getBuiltinModule?.('node:crypto')
  const imported = await import('node:crypto').catch(() => undefined)
  return [asked, imported].map((module) => module !== undefined)
}
