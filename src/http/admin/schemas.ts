const text = { type: 'string' } as const
const texts = { type: 'array', items: text } as const
const count = { type: 'integer', minimum: 1 } as const
const time = { type: 'string', format: 'date-time' } as const
const metadata = { type: 'object', additionalProperties: true } as const
const owner = {
  type: 'object',
  properties: { type: text, id: text },
  required: ['id'],
  additionalProperties: false,
} as const
const ownerOrId = { oneOf: [text, owner] } as const

/** What a caller says of a key. */
const wanted = {
  name: { type: 'string', minLength: 1, maxLength: 200 },
  owner: ownerOrId,
  tenant: text,
  clientId: text,
  scopes: texts,
  tools: texts,
  audience: { oneOf: [text, texts] },
  addresses: texts,
  rateLimit: { ...count, maximum: 1_000_000, description: 'Requests a minute' },
  usageLimit: { ...count, description: 'Requests altogether' },
  notBefore: time,
  expiresAt: time,
  expiresInSeconds: count,
  metadata,
} as const

/** Types that may be null, which takes the limit away. */
function orNull(schema: object): object {
  return { oneOf: [schema, { type: 'null' }] }
}

function object(properties: object, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false }
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` }
}

const rotation = {
  graceSeconds: { type: 'integer', minimum: 0 },
  activate: { enum: ['now', 'on-first-use'], default: 'now' },
}

/** The schemas of the API for keys, by name (OpenAPI 3.1, which is JSON Schema 2020-12). */
export const schemas: Readonly<Record<string, object>> = {
  Status: {
    enum: ['active', 'pending', 'grace', 'not_yet_valid', 'disabled', 'exhausted', 'expired', 'revoked'],
  },
  NewKey: object({ ...wanted, reason: text }, ['name', 'owner']),
  KeyUpdate: object({
    name: wanted.name,
    owner: ownerOrId,
    tenant: orNull(text),
    scopes: texts,
    tools: orNull(texts),
    audience: orNull(wanted.audience),
    addresses: orNull(texts),
    rateLimit: orNull(wanted.rateLimit),
    usageLimit: orNull(wanted.usageLimit),
    notBefore: orNull(time),
    expiresAt: orNull(time),
    metadata,
    reason: text,
  }),
  Rotation: object({ ...rotation, expiresAt: time, reason: text }),
  Reason: object({ reason: text }),
  Leak: object({ key: text }, ['key']),
  Import: object(
    {
      keys: {
        type: 'array',
        maxItems: 1000,
        items: object({ ...wanted, key: text, sha256: text, allowWeak: { type: 'boolean' } }, [
          'name',
          'owner',
        ]),
      },
      reason: text,
    },
    ['keys'],
  ),
  Key: {
    type: 'object',
    properties: {
      id: { type: 'string', pattern: '^[0-9A-Za-z]{12}$' },
      lineageId: text,
      status: ref('Status'),
      prefix: text,
      environment: { enum: ['live', 'test'] },
      isImported: { type: 'boolean' },
      name: text,
      owner,
      tenant: text,
      clientId: text,
      scopes: texts,
      audiences: texts,
      tools: texts,
      addresses: texts,
      rateLimit: count,
      usageLimit: count,
      usageLeft: { type: 'integer', minimum: 0 },
      metadata,
      notBefore: time,
      expiresAt: time,
      replacedBy: text,
      revokedAt: time,
      revokedBy: text,
      revokeReason: text,
      firstUsedAt: time,
      lastUsedAt: time,
      lastUsedAddress: text,
      useCount: { type: 'integer', minimum: 0 },
      createdAt: time,
      createdBy: text,
      updatedAt: time,
    },
    required: ['id', 'lineageId', 'status', 'name', 'owner', 'scopes', 'createdAt', 'updatedAt'],
  },
  CreatedKey: object({ key: { ...text, description: 'Shown this once' }, apiKey: ref('Key') }, [
    'key',
    'apiKey',
  ]),
  KeyPage: object({ keys: { type: 'array', items: ref('Key') }, next: text }, ['keys']),
  ImportResult: object(
    {
      results: {
        type: 'array',
        items: object({ ok: { type: 'boolean' }, key: ref('Key'), error: text }, ['ok']),
      },
    },
    ['results'],
  ),
  Accepted: object({ accepted: { const: true } }, ['accepted']),
  Uses: object(
    {
      from: { type: 'string', format: 'date', description: 'The first day' },
      days: count,
      usage: {
        type: 'object',
        description: 'By id, a number for each day; the last one is that of today',
        additionalProperties: { type: 'array', items: { type: 'integer', minimum: 0 } },
      },
    },
    ['from', 'days', 'usage'],
  ),
  AuditPage: object({ events: { type: 'array', items: ref('AuditEvent') } }, ['events']),
  AuditEvent: {
    type: 'object',
    properties: {
      sequence: count,
      time,
      event: text,
      outcome: { enum: ['success', 'failure'] },
      severity: { enum: ['info', 'notice', 'warning', 'critical'] },
      reason: text,
      actor: { type: 'object', properties: { type: text, id: text, name: text }, required: ['type'] },
      keyId: text,
      lineageId: text,
      address: text,
      requestId: text,
      count,
      changes: { type: 'object' },
      details: { type: 'object' },
      hash: text,
    },
    required: ['sequence', 'time', 'event', 'outcome', 'severity', 'actor', 'hash'],
  },
  Failure: object({ error: text, error_description: text, scope: text }, ['error']),
  Document: { type: 'object' },
}
