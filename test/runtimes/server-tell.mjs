/** Tells the test where a server is, and ends the process when the test is gone. */
export function tell(sites) {
  process.stdin.resume().once('end', () => process.exit())
  process.stdout.write(`${JSON.stringify(sites)}\n`)
}
