// Loaded into every Node program that is measured, before the program itself: it answers the parent's question for the CPU
// time used so far, all threads counted, and ends with the parent. So programs of others are measured as ours are.
process.on('disconnect', () => process.exit())
process.on('message', (question) => {
  if (question !== 'cpu') return
  const { user, system } = process.cpuUsage()
  process.send({ answer: user + system })
})
// Whoever is measured ends when it would have ended.
process.channel?.unref()
