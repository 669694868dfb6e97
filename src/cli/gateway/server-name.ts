import { looksSecret } from '../../client/config/config-secrets.ts'
import { printableLine } from '../printable.ts'

/** Programs that run what is named to them: without that name nobody knows which server it is. */
const runners =
  /^(?:npx|bunx|uvx|pipx|node|bun|deno|tsx|npm|pnpm|yarn|uv|docker|podman|java|ruby|python[\d.]*)(?:\.exe|\.cmd)?$/i

/** What they are told beside it. No flag of these takes a word. */
const plainWord = /^(?:run|exec|dlx|tool|x|-y|--yes|-q|--quiet|-i|-t|-it|--rm|-m|-u|-A|--no-warnings|-jar)$/

const nameOrPath = /^[\w@.~/\\][\w@.~/\\:+^-]*$/

/**
 * A command as people and programs are shown it: the program, and for one that runs others what it runs. The words of
 * the server itself may be anything, a password too, and are not shown.
 */
export function commandName([program = '', ...words]: readonly string[]): string {
  const shown = [program]
  if (runners.test(program.replace(/^.*[\\/]/, ''))) {
    const at = words.findIndex((word) => !plainWord.test(word))
    const what = words[at]
    const isName = what !== undefined && nameOrPath.test(what) && !looksSecret(what, [])
    shown.push(...words.slice(0, at === -1 ? undefined : at), ...(isName ? [what] : []))
  }
  const isCut = shown.length <= words.length
  return printableLine([...shown, ...(isCut ? ['…'] : [])].join(' '), 200)
}

/**
 * A URL as people and programs are shown it: without its query, and without a path that holds a key, as some services
 * hand them out.
 *
 * @param written as it was given, with variables that are not filled in
 */
export function urlName({ origin, pathname }: URL, written: string): string {
  const isFilledIn = /^[^?#]*\$\{/.test(written)
  return `${origin}${isFilledIn || looksSecret(pathname, []) ? '/…' : pathname}`
}
