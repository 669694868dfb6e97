import type { Transport } from '@modelcontextprotocol/client'
import type { ClientTransport } from './transports.ts'

/** A server that runs as a child of this process. */
export interface StdioCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Default: the working directory of this process. */
  readonly cwd?: string
}

/**
 * MCP over the standard streams of a child process. There is no HTTP and so no bearer token: credentials go through
 * the environment (MCP authorization, "Protocol Requirements"). The child gets its own variables and a handful it
 * cannot do without (`PATH`, `HOME`, …), nothing else of this process.
 */
export function stdioTransport({ command, args, env, cwd }: StdioCommand): ClientTransport {
  return {
    negotiation: 'auto',
    async open(): Promise<Transport> {
      const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
      return new StdioClientTransport({
        command,
        args: [...args],
        env: { ...env },
        ...(cwd !== undefined && { cwd }),
      })
    },
  }
}
