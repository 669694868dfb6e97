// Shows tokens to one library, keeps none of them, and tells by how much the memory grew. Arguments: library, amount.

import { round } from '../measure.mjs'
import { fastJwt, mcpBearer } from './libraries.mjs'
import { makeKey, makeTokenOfUsualSize } from './tokens.mjs'

const [library, amount] = [process.argv[2], Number(process.argv[3])]
const key = makeKey('HS256')
const make = { 'mcp-bearer': () => mcpBearer(key, amount), 'fast-jwt': () => fastJwt(key, amount) }[library]

async function show(verify, count) {
  for (let n = 0; n < count; n++) await verify(makeTokenOfUsualSize(key))
}

function memory() {
  for (let n = 0; n < 3; n++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return { heapUsed, external }
}

// Code is compiled and shapes are known before anything counts.
await show(make(), 3000)
const verify = make()
const before = memory()
await show(verify, amount)
const after = memory()
const heap = (after.heapUsed - before.heapUsed) / amount
const external = (after.external - before.external) / amount
// Still in use, so still there when it was measured.
await verify(makeTokenOfUsualSize(key))
console.log(
  JSON.stringify({
    variant: library,
    remembered: amount,
    heapBytes: round(heap, 0),
    externalBytes: round(external, 0),
    bytesPerToken: round(heap + external, 0),
  }),
)
