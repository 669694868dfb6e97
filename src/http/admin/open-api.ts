import { type Operation, operations } from './operations.ts'
import { schemas } from './schemas.ts'

/**
 * The description of the API, made of the same table that routes requests (OpenAPI 3.1).
 * @param path what its URLs begin with
 */
export function openApi(path: string): Readonly<Record<string, unknown>> {
  const paths = new Map<string, Record<string, unknown>>()
  for (const operation of operations) {
    const name = `${path}/${operation.path}`
    paths.set(name, { ...paths.get(name), [operation.method.toLowerCase()]: described(operation) })
  }
  return Object.freeze({
    openapi: '3.1.0',
    info: {
      title: 'API keys',
      version: '1',
      description: 'Make, list, change, rotate and end API keys, and read their audit log.',
    },
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas,
    },
  })
}

function described({ name, summary, scope, path, query = [], body, answer }: Operation): object {
  const parameters = [
    ...(path.includes('{id}')
      ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[0-9A-Za-z]{12}$' } }]
      : []),
    ...query.map((one) => ({ name: one, in: 'query', schema: querySchemas[one] ?? { type: 'string' } })),
  ]
  return {
    operationId: name,
    summary,
    security: scope === undefined ? [] : [{ bearer: [scope] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: json(body) } }),
    responses: {
      [answer.status]: { description: 'Done', content: json(answer.schema) },
      ...Object.fromEntries(
        failuresOf(scope, path, body).map((status) => [
          status,
          { description: failures[status], content: json('Failure') },
        ]),
      ),
    },
  }
}

function failuresOf(
  scope: Operation['scope'],
  path: string,
  body: Operation['body'],
): readonly (keyof typeof failures)[] {
  if (path === 'openapi.json') return []
  return [
    '400',
    ...(scope === undefined ? (['429'] as const) : (['401', '403'] as const)),
    ...(path.includes('{id}') || path === 'usage' ? (['404'] as const) : []),
    ...(body && scope !== undefined && path.includes('/') ? (['409'] as const) : []),
    '503',
  ]
}

const failures = {
  '400': 'The request makes no sense; error_description says why',
  '401': 'No token, or one that is not good',
  '403': 'The token lacks the scope',
  '404': 'There is no such key; for usage: the database does not count uses by day',
  '409': 'The key is not in a state in which this can be done',
  '429': 'Too many reports; Retry-After says when to try again',
  '503': 'The database cannot be reached; nothing was changed',
} as const

const querySchemas: Readonly<Record<string, object>> = {
  stale: { type: 'boolean' },
  id: { type: 'array', maxItems: 100, items: { type: 'string', pattern: '^[0-9A-Za-z]{12}$' } },
  days: { type: 'integer', minimum: 1, maximum: 90, default: 30 },
  limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
  status: { type: 'array', items: { $ref: '#/components/schemas/Status' } },
  since: { type: 'string', format: 'date-time' },
  until: { type: 'string', format: 'date-time' },
  outcome: { enum: ['success', 'failure'] },
  before: { type: 'integer', minimum: 0, description: 'Only events before this sequence' },
  order: { enum: ['asc', 'desc'], default: 'asc' },
}

function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}
