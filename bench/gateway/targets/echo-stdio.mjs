// The same server over stdio: a message a line. No readline, which would cost more than the server.
import { answerText, lastText, progressText, streamOf } from './answers.mjs'

let rest = ''
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  for (const line of lines) answer(JSON.parse(line))
})

function answer(message) {
  // Notifications, and answers.
  if (message.id === undefined || message.method === undefined) return
  const wanted = streamOf(message)
  if (wanted === undefined) return void process.stdout.write(`${answerText(message)}\n`)
  // Writing to a pipe waits for its reader (Node, "A note on process I/O").
  for (let n = 1; n <= wanted.events; n++) process.stdout.write(`${progressText(message, n, wanted.bytes)}\n`)
  process.stdout.write(`${lastText(message)}\n`)
}
