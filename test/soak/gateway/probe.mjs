// Loaded into a process that is watched: says how much it holds, once what it does not need is gone.

process.on('message', (question) => {
  if (question === 'ping') return void process.send?.('pong')
  if (question !== 'memory') return
  for (let n = 0; n < 3; n++) globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send?.({ rss, heapUsed, external, resources: process.getActiveResourcesInfo().length })
})
// Who watched is gone, however that ended.
process.on('disconnect', () => process.exit())
// Nothing of this keeps it running.
process.channel?.unref()
