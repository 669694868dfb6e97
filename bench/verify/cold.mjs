// A token that was not seen before: CPU time, and its ratio to the bare signature check of node:crypto.

import { median, ratio, round, takeTurns } from '../measure.mjs'
import { assertChecks, fastJwt, jose, jsonWebToken, mcpBearer, raw, takeApart } from './libraries.mjs'
import { copyOf, makeKey, makeTokenOfUsualSize } from './tokens.mjs'

export const wantedRatio = 1.5

/** @returns one row for each algorithm and library */
export async function measureCold({ tokens: amount, rounds, warmUp }) {
  const rows = []
  for (const algorithm of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
    const key = makeKey(algorithm)
    const tokens = Array.from({ length: amount }, () => makeTokenOfUsualSize(key))
    const variants = await makeVariants(key, tokens)
    // All but the signature is the same code for all: it gets hot with the first algorithm, the fastest one.
    const warmUpRounds = algorithm === 'HS256' ? warmUp : Math.ceil(warmUp / 10)
    const samples = await takeTurns(`cold ${algorithm}`, variants, { rounds, warmUp: warmUpRounds })
    for (const { name } of variants) {
      rows.push({
        algorithm,
        variant: name,
        cpuMicros: round(median(samples.get(name))),
        toRaw: round(ratio(samples, name, 'node:crypto')),
      })
    }
  }
  return rows
}

async function makeVariants(key, tokens) {
  const inputs = () => tokens.map(copyOf)
  const parts = tokens.map(takeApart)
  const web = await fasterJose(key, tokens)
  // One that remembers has to be made anew for each round, or the tokens would not be new to it.
  const remembering = { verify: undefined }
  const variants = [
    { name: 'node:crypto', verify: raw(key), inputs: () => parts, isSync: true },
    {
      name: 'mcp-bearer',
      verify: (token) => remembering.verify(token),
      inputs: () => {
        remembering.verify = mcpBearer(key)
        return inputs()
      },
    },
    { name: 'mcp-bearer, rememberTokens: 0', verify: mcpBearer(key, 0), inputs },
    { name: `jose (${web.form})`, verify: web.verify, inputs },
    { name: 'fast-jwt', verify: fastJwt(key), inputs, isSync: true },
    { name: 'jsonwebtoken', verify: jsonWebToken(key), inputs, isSync: true },
  ].filter(({ verify }) => verify !== undefined)
  remembering.verify = mcpBearer(key)
  for (const { name, verify } of variants.slice(1)) await assertChecks(name, verify, key)
  return variants
}

/** jose takes two forms of a key; the faster one takes part. */
async function fasterJose(key, tokens) {
  const forms = ['KeyObject', 'CryptoKey']
  const variants = []
  for (const form of forms) {
    variants.push({ name: form, verify: await jose(key, form), inputs: () => tokens.map(copyOf) })
  }
  const samples = await takeTurns(`${key.algorithm}, jose`, variants, { rounds: 3, warmUp: 1 })
  const form = forms.toSorted((a, b) => median(samples.get(a)) - median(samples.get(b)))[0]
  return { form, verify: variants.find(({ name }) => name === form).verify }
}
