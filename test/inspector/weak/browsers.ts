import type { Defect } from './defect.ts'
import { type Asked, type Parts, refusal, sound } from './weak-server.ts'

/** What a page of another origin needs, for the origins a server lets in. */
function pages(
  origin: (asked: Asked) => string | undefined,
  more: Record<string, string> = {},
): Partial<Parts> {
  const headers = (asked: Asked) => {
    const allowed = origin(asked)
    return allowed === undefined
      ? {}
      : {
          'access-control-allow-origin': allowed,
          'access-control-expose-headers': 'WWW-Authenticate, Mcp-Session-Id',
          vary: 'Origin',
          ...more,
        }
  }
  return {
    isOriginGood: (given, asked) => sound.isOriginGood(given, asked) || origin(asked) !== undefined,
    always: headers,
    preflight: () => ({
      status: 204,
      headers: {
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers':
          'Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id',
      },
    }),
  }
}

/** Lets pages of its own in, as it should. */
export const ownPages: Partial<Parts> = pages((asked) =>
  given(asked) === asked.origin ? asked.origin : undefined,
)

function given(asked: Asked): string | undefined {
  return asked.lines('origin')[0]
}

/** What a page in a browser can do with it. */
export const browsers: readonly Defect[] = [
  {
    name: 'lets every page in, with its cookies',
    broken: pages(given, { 'access-control-allow-credentials': 'true' }),
    found: ['cors-with-credentials', 'foreign-origin'],
  },
  { name: 'lets every page in by a star', broken: pages(() => '*'), found: ['foreign-origin'] },
  { name: 'lets every page in', broken: pages(given), found: ['cors-for-everybody', 'foreign-origin'] },
  {
    name: 'lets pages of its own in, but not with a token',
    broken: {
      ...ownPages,
      preflight: () => ({ status: 204, headers: { 'access-control-allow-headers': 'Content-Type' } }),
    },
    found: ['cors-without-authorization'],
  },
  {
    name: 'lets pages of its own in, and asks for a token before they may ask',
    broken: {
      ...ownPages,
      preflight: (asked) => refusal('none', asked),
    },
    found: ['preflight-refused'],
  },
  {
    name: 'does not show its challenge to pages',
    broken: pages(() => '*', { 'access-control-expose-headers': 'Mcp-Session-Id' }),
    found: ['cors-hides-challenge', 'foreign-origin'],
  },
  { name: 'does not look at Origin', broken: { isOriginGood: () => true }, found: ['foreign-origin'] },
  { name: 'does not look at Host', broken: { isHostGood: () => true }, found: ['foreign-host'] },
  {
    name: 'does not look at Origin and asks for no token',
    broken: { isOriginGood: () => true, isGuarded: () => false },
    found: ['foreign-origin', 'no-authentication'],
  },
]
