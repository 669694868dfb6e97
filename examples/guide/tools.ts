// Everything a server and a tool can say of themselves, and a result that is checked before it leaves.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const server = new MCPServer({
  name: 'weather',
  version: '1.0.0',
  about: {
    title: 'Weather',
    description: 'Forecasts for cities',
    websiteUrl: 'https://weather.example.com',
    icons: [{ src: 'https://weather.example.com/sun.svg', mimeType: 'image/svg+xml', sizes: ['any'] }],
    instructions: 'Name cities in English.',
  },
  auth: staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } }),
})

server.tool(
  'forecast',
  {
    title: 'Forecast',
    description: 'Degrees Celsius for the next days',
    inputSchema: z.object({ city: z.string(), days: z.int().min(1).max(7).default(1) }),
    outputSchema: z.object({ city: z.string(), degrees: z.array(z.number()) }),
    annotations: { readOnlyHint: true, openWorldHint: true },
    listed: {
      icons: [{ src: 'https://weather.example.com/cloud.png', mimeType: 'image/png', sizes: ['48x48'] }],
      meta: { 'weather.example.com/source': 'station' },
    },
  },
  ({ city, days }) => ({ city, degrees: Array.from({ length: days }, (_, day) => 20 + day) }),
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
