import { apiKeys } from '../../dist/apikeys/index.js'

const day = 86_400_000

/**
 * Puts keys into a store, and what they were used for.
 * @param {import('../../dist/apikeys/index.js').KeyStore} store
 * @returns {Promise<string[]>} the keys
 */
export async function fillKeys(store) {
  const keys = apiKeys({ store })
  const made = []
  for (const { uses, isRevoked, ...draft } of drafts) {
    const { key, apiKey } = await keys.create(draft)
    made.push(key)
    await store.recordUses(usesOf(apiKey.id, uses))
    if (isRevoked) await keys.revoke(apiKey.id, { reason: 'project ended' })
  }
  return made
}

/** What the keys are for, and how often each is used on a day of the week and of the month. */
const drafts = [
  {
    name: 'nightly import',
    owner: 'ci@example.com',
    scopes: ['reports:read', 'reports:write'],
    expiresInSeconds: 60 * 86_400,
    uses: (ago) => 180 + ((ago * 37) % 60),
  },
  {
    name: 'dashboard',
    owner: 'bo@example.com',
    scopes: ['reports:read'],
    expiresInSeconds: 5 * 86_400,
    uses: (ago) => (ago % 7 < 2 ? 0 : 900 - ago * 22),
  },
  {
    name: 'laptop of Ann',
    owner: 'ann@example.com',
    scopes: ['reports:read'],
    uses: (ago) => (ago % 7 < 2 ? 1 : (ago * 13) % 29),
  },
  {
    name: 'spring campaign',
    owner: 'bo@example.com',
    scopes: ['reports:read'],
    isRevoked: true,
    uses: (ago) => (ago < 12 ? 0 : 40 + ((ago * 11) % 30)),
  },
  {
    name: 'spare',
    owner: 'ops@example.com',
    scopes: ['keys:admin'],
    expiresInSeconds: 365 * 86_400,
    uses: () => 0,
  },
]

function usesOf(id, uses) {
  const days = Array.from({ length: 30 }, (_, index) => 29 - index)
  return days
    .map((ago) => ({ id, count: uses(ago), at: Date.now() - ago * day }))
    .filter(({ count }) => count > 0)
}
