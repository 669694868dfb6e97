import { placeholder, readPlaceholder } from '../../client/config/interpolate.ts'
import type { HostRequest } from './host.ts'

/**
 * Every header the host has to send, the token included, or nothing when the token is in a file: a host reads none.
 * @param write how the host writes an environment variable
 */
export function headersOf(
  { auth, headers }: HostRequest,
  write: (variable: string) => string,
): Readonly<Record<string, string>> | undefined {
  if (auth?.kind === 'file') return undefined
  const own = auth === undefined ? [] : [['Authorization', `Bearer \${${auth.name}}`] as const]
  const written = [...own, ...headers].map(([name, value]): [string, string] => [
    name,
    value.replace(placeholder, (all, inside: string) => {
      const variable = readPlaceholder(inside)?.name
      return variable === undefined ? all : write(variable)
    }),
  ])
  return Object.fromEntries(written)
}

/** The environment variables the headers need. */
export function variablesOf({ auth, headers }: HostRequest): readonly string[] {
  const inHeaders = headers.flatMap(([, value]) =>
    Array.from(value.matchAll(placeholder), ([, inside = '']) => readPlaceholder(inside)?.name),
  )
  const all = [auth?.kind === 'env' ? auth.name : undefined, ...inHeaders]
  return [...new Set(all.filter((name) => name !== undefined))]
}
