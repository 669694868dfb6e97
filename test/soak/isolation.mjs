// Whether anything of one principal ever reaches another: many requests at once, with ids that collide, callers that
// leave, and connections that are shared. Needs the built package.
//
//   node test/soak/isolation.mjs [requests] [seed]
import { getAccessToken, MCPServer, ToolError } from 'mcp-bearer/server'
import { soak } from './run.mjs'

const requests = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? 1)
const began = performance.now()
const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
/** Milliseconds without any answer after which something hangs. */
const patience = 30_000

let next = requests / 10
let last = 0
const stuck = setInterval(() => {
  if (performance.now() - last < patience) return
  console.error(`nothing has been answered for ${patience / 1000} s`)
  process.exit(1)
}, 1000)

const { faults, ...found } = await soak(
  { MCPServer, getAccessToken, ToolError },
  {
    requests,
    seed,
    onFault: (text) => console.error(text),
    onProgress(done) {
      last = performance.now()
      if (done < next) return
      console.log(`${done} requests, ${seconds()} s`)
      next += requests / 10
    },
  },
)
clearInterval(stuck)
console.log(
  `${found.requests} requests of 50 principals in ${seconds()} s: ${found.left} callers left, ${found.calls} calls were ended by that; ${faults.length} crossings`,
)
process.exit(faults.length === 0 ? 0 : 1)
