import { isLoopbackHost } from '../../core/options.ts'
import { hostnameOf } from '../../server/listen.ts'
import { UsageError } from '../command.ts'

/** Where something listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** This machine only. */
const loopback = '127.0.0.1'

const how = 'HOST:PORT, [::1]:PORT, or a port of this machine, such as 127.0.0.1:8000 or 8000'

/**
 * Reads an address: `host:port`, `[::1]:port`, `:port`, `port`. Without a host it is this machine only: everybody else
 * has to be let in by name.
 *
 * @throws UsageError naming the option
 */
export function addressOf(option: string, text: string): Address {
  const [, bracketed, plain, digits] = /^(?:(?:\[([\da-f:.]+)\]|([\w.-]*)):)?(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) throw new UsageError(`${option} must be ${how}`)
  return { host: bracketed ?? (plain || loopback), port }
}

/** As it is written in a URL. */
export function addressText({ host, port }: Address): string {
  return `${hostnameOf(host)}:${port}`
}

/** Whether nobody else can reach it. What is no name of this machine for certain, is taken for none. */
export function isLocal({ host }: Address): boolean {
  const url = `http://${hostnameOf(host)}`
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname)
}
