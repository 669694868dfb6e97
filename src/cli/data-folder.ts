import { homedir } from 'node:os'
import { join } from 'node:path'

/** A file that this program keeps for the user between its runs. The folder may not exist yet. */
export function dataFile(name: string): string {
  return join(dataFolder(), 'mcp-bearer', name)
}

/** Where programs keep the data of a user (XDG Base Directory Specification; the usual places elsewhere). */
function dataFolder(): string {
  const { XDG_DATA_HOME, LOCALAPPDATA } = process.env
  if (process.platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  // A relative path is to be ignored, says the specification.
  return XDG_DATA_HOME?.startsWith('/') ? XDG_DATA_HOME : join(homedir(), '.local', 'share')
}
