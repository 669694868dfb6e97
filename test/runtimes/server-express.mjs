/** For Node: the protected server in an Express application. */
import express from 'express'
import { server } from './server-protected.mjs'
import { tell } from './server-tell.mjs'

const app = express()
app.all('/mcp', server.nodeListener)
app.use('/under/a/prefix', server.nodeListener)

const listening = app.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${listening.address().port}`
  tell({ Express: `${origin}/mcp`, 'Express under a prefix': `${origin}/under/a/prefix` })
})
