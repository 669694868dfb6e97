import { expect, it } from 'vitest'
import { messagesOf } from './read-answer.ts'

it('an event that only says where a stream can be taken up again is no message', async () => {
  const events = 'id: 1\nretry: 500\ndata: \n\nid: 2\ndata:\n\nevent: message\nid: 3\ndata: {"id":1}\n\n'
  const answer = new Response(events, { headers: { 'content-type': 'text/event-stream' } })
  const messages: unknown[] = []
  for await (const message of messagesOf(answer)) messages.push(message)
  expect(messages).toEqual([{ id: 1 }])
})
