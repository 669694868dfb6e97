// A server under measurement, in a process of its own. What it shall be comes as one JSON argument; the parent asks over
// IPC for the CPU time used so far and for the memory, and when the parent is gone, so is this.
import { setTimeout as sleep } from 'node:timers/promises'

const settings = JSON.parse(process.argv[2])

process.on('disconnect', () => process.exit())
process.on('message', async (question) => {
  if (question === 'cpu') {
    const { user, system } = process.cpuUsage()
    process.send({ answer: user + system })
  } else process.send({ answer: await settledMemory() })
})

const { start } = await import(`./${settings.kind}.mjs`)
process.send({ ready: await start(settings) })

/** Resident bytes when all garbage is gone, for those started with `--expose-gc`. */
async function settledMemory() {
  for (let n = 0; n < 3; n++) {
    globalThis.gc()
    await sleep(100)
  }
  return process.memoryUsage.rss()
}
