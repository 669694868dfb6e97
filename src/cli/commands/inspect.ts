import { UsageError } from '../command.ts'
import { notes } from '../credential.ts'
import { inspectedServer, tokenAdvice } from '../inspect/inspected-server.ts'
import { runSite, siteHelp, siteOptions, sitePort } from '../inspect/run-site.ts'
import { localCommand } from '../local-command.ts'

/** `mcp-bearer inspect`: the inspector page, for any server. */
export const inspect = localCommand({
  summary: 'look at a server in the browser: tokens, tools, HTTP',
  usage: 'inspect [url or name] [options]',
  about: `Shows a page for an MCP server: what it says of a token and why, its tools, resources and
prompts to try, and every HTTP request with its status. The page comes from this machine, and
its requests go through it to that server and nowhere else.

  mcp-bearer inspect https://mcp.example.com/mcp
  mcp-bearer inspect reports --config mcp.json

It prints an address with a key in it. The key lets one page in, once; a new one with Enter.
The token is typed into the page, and is written down nowhere. Without a URL it takes the
server of mcp.json, .mcp.json or .vscode/mcp.json in this folder, when there is only one.`,
  optionsHelp: `  --header 'N: V'    one more header for the server; \${NAME} in it is an environment variable
  --config FILE      where the server of that name is described
  --allow-insecure   DANGER: send tokens over plain http to other machines
${siteHelp}`,
  options: {
    ...siteOptions,
    header: { type: 'string', multiple: true },
    config: { type: 'string' },
    'allow-insecure': { type: 'boolean' },
    // To say where the token goes instead.
    auth: { type: 'string' },
  },
  words: [0, 1],
  async run({ values, words: [word], terminal, signal }) {
    if (values.auth !== undefined) throw new UsageError(`there is no --auth here: ${tokenAdvice}`)
    const port = sitePort(values.port)
    const { header: headers = [], config } = values
    const server = await inspectedServer({ word, config, headers }, terminal)
    const { inspectorBridge } = await import('../../inspector/bridge/bridge.ts')
    const site = await inspectorBridge({
      target: server.url,
      headers: server.headers,
      allowInsecure: server.allowInsecure || values['allow-insecure'] === true,
      port,
      logger: notes(terminal),
    })
    // What stands behind the `?` may be a secret.
    const { origin, pathname } = new URL(server.url)
    const target = origin + pathname
    return runSite({
      site,
      title: `The inspector of ${target}`,
      advice: [
        'Open it in a browser of this machine. Type or paste the token into the page: it stays in its',
        `memory, and is sent to ${origin} only.`,
      ],
      json: { target },
      values,
      terminal,
      signal,
    })
  },
})
