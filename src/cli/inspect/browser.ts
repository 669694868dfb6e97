import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, win32 } from 'node:path'

/** A browser that was asked to open something. */
export interface AskedBrowser {
  /** Why it did not, as a sentence; `undefined` when the program that starts it has said nothing of the kind. */
  readonly problem: Promise<string | undefined>
  /** Takes away what it needed. */
  close(): Promise<void>
}

/**
 * Has the system's browser open an address with a key in it. Everybody on this machine sees the words of every program, so
 * the address is not one of them: the browser is given a file that leads there, in a folder of this user alone.
 */
export async function askBrowser(address: string): Promise<AskedBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-open-'))
  const file = join(folder, 'open.html')
  try {
    await writeFile(file, documentTo(address), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return { problem: started(file), close: () => rm(folder, { recursive: true, force: true }) }
}

/** What the file holds. There is nothing in the address that markup could be made of; see `localSite`. */
export function documentTo(address: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${address}">
<title>Opening</title>
<p><a href="${address}">Go on to the page</a></p>
`
}

/**
 * The program that opens a file with what the person has chosen for it, and its first words. On Windows with its whole
 * path: there a name is looked for in the current folder first, and that may be anybody's.
 */
export function opener(platform: NodeJS.Platform): readonly [program: string, ...words: string[]] {
  if (platform === 'darwin') return ['open']
  if (platform !== 'win32') return ['xdg-open']
  const { SystemRoot = 'C:\\Windows' } = process.env
  return [win32.join(SystemRoot, 'System32', 'rundll32.exe'), 'url.dll,FileProtocolHandler']
}

function started(file: string): Promise<string | undefined> {
  const [program, ...words] = opener(process.platform)
  const problem = `The browser could not be started (${program}); open the address yourself.`
  return new Promise((resolve) => {
    // In a group of its own: Ctrl-C ends this program, and not the browser.
    const child = spawn(program, [...words, file], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(problem))
    child.once('exit', (code) => resolve(code === 0 ? undefined : problem))
    child.unref()
  })
}
