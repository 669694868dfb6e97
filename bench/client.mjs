// What the client costs: CPU time that `authorizedFetch` adds to each request, and the size of what a browser loads.
//
//   npm run bench:client                the whole run, about half a minute
//   npm run bench:client -- --quick     a short one, to see that it works
//   npm run bench:client -- --json      for programs
import { cpus } from 'node:os'
import { bundleFor, bundles, wantedBytes } from './client/bundle.mjs'
import { measureOverhead, wantedMicros } from './client/overhead.mjs'

const quick = process.argv.includes('--quick')
const json = process.argv.includes('--json')

const overhead = await measureOverhead(quick ? { requests: 200, rounds: 5 } : { requests: 1000, rounds: 21 })
const sizes = []
for (const [name, exports] of Object.entries(bundles)) {
  const { nodeImports, minified, gzip, brotli, later } = await bundleFor(exports)
  sizes.push({
    bundle: name,
    minified,
    gzip,
    brotli,
    'loaded later, gzip': later,
    'node: imports': nodeImports.length,
  })
}

const machine = { date: new Date().toISOString().slice(0, 10), node: process.version, cpu: cpus()[0].model }
if (json) {
  console.log(JSON.stringify({ ...machine, overhead, sizes }, undefined, 2))
} else {
  console.log(`${machine.date}, Node ${machine.node}, ${machine.cpu}`)
  console.log(`\nCPU µs per request, and how much more than fetch (wanted: at most ${wantedMicros})`)
  console.table(overhead)
  console.log(
    `\nBytes of a bundle for browsers (wanted: auth layer at most ${wantedBytes} compressed, no node: import)`,
  )
  console.table(sizes)
}
