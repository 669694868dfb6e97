import { execFileSync } from 'node:child_process'
import { chromium } from 'playwright-core'

/** Starts the Chromium of this machine, which talks to nobody by itself. Nothing is downloaded. */
export function openChromium() {
  return chromium.launch({ executablePath: executable(), args: quiet })
}

function executable() {
  const given = process.env.CHROMIUM
  if (given !== undefined && given !== '') return given
  try {
    return execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], {
      encoding: 'utf8',
    }).trim()
  } catch (cause) {
    throw new Error('there is no Chromium: apt-get install chromium, or set CHROMIUM to the path of one', {
      cause,
    })
  }
}

const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
