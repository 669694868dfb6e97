// The floor: what a proxy on `node:http` costs that looks at nothing and passes everything on.
import { Agent, createServer, request } from 'node:http'

const { hostname, port, pathname } = new URL(process.argv[2])
const agent = new Agent({ keepAlive: true })

const server = createServer((req, res) => {
  const headers = { ...req.headers, host: `${hostname}:${port}` }
  const options = { hostname, port, path: pathname, method: req.method, headers, agent }
  const passed = request(options, (answer) => {
    res.writeHead(answer.statusCode, answer.headers)
    answer.pipe(res)
  })
  passed.on('error', () => res.destroy())
  req.pipe(passed)
})

server.listen(0, '127.0.0.1', () =>
  process.send({ ready: `http://127.0.0.1:${server.address().port}${pathname}` }),
)
