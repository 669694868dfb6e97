import type { WhoAmI } from '../../../server/pages/inspector-config.ts'
import { knownSecrets } from '../net/known-secrets.ts'
import { shownJson } from '../net/redact-entry.ts'
import { tracedFetch } from '../net/traced-fetch.ts'
import { config, identity, onTokenChange, token } from '../state.ts'

/** Asks whenever a token is used; the same one as well: it may have been revoked, or given more, meanwhile. */
export function watchIdentity(): void {
  onTokenChange(() => void askWhoAmI())
}

/** Asks the server who the token is, where it can be asked. What comes too late is no answer any more. */
async function askWhoAmI(): Promise<void> {
  const asked = token.peek()
  const { whoami } = config.peek()
  if (whoami === undefined || asked === '') return
  try {
    const answer = await tracedFetch({ purpose: 'whoami', method: 'GET', path: whoami, token: asked })
    const told = answer.ok ? readWhoAmI(shownJson(await answer.text(), knownSecrets())) : undefined
    if (token.peek() === asked) identity.value = told
  } catch {
    // The log shows what happened, and nobody is known.
    if (token.peek() === asked) identity.value = undefined
  }
}

/** What is well formed in an answer; `undefined` when it is none. */
export function readWhoAmI(told: unknown): WhoAmI | undefined {
  if (!isObject(told) || typeof told.authenticated !== 'boolean') return undefined
  return {
    authenticated: told.authenticated,
    ...texts(told, ['subject', 'clientId', 'issuer', 'expiresAt']),
    ...(isTexts(told.scopes) && { scopes: told.scopes }),
    ...(isTexts(told.tools) && { tools: told.tools }),
    ...(isObject(told.claims) && { claims: told.claims }),
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function texts<Name extends string>(from: Readonly<Record<string, unknown>>, names: readonly Name[]) {
  const found = names.flatMap((name) => {
    const value = Object.hasOwn(from, name) ? from[name] : undefined
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return Object.fromEntries(found) as Partial<Record<Name, string>>
}
