import type { Catalogue } from '../../src/server/pages/catalogue.ts'

/** Text that would run, call out or change the page if it were ever read as markup (lesson FL-104). */
export const markup =
  '<img src="http://127.0.0.1:9/x" onerror="globalThis.ran = 1"><script>globalThis.ran = 1</script><b>bold</b>'

const empty = { tools: [], resources: [], resourceTemplates: [], prompts: [] }

/** A server that offers nothing, and asks for nothing. */
export const emptyCatalogue: Catalogue = {
  server: { name: 'empty', version: '0.0.1' },
  endpoint: '/mcp',
  transports: ['streamable-http'],
  revisions: ['2026-07-28'],
  security: { scheme: 'none' },
  ...empty,
}

const address = {
  type: 'object',
  description: 'Where to deliver.',
  properties: {
    street: { type: 'string', minLength: 1, maxLength: 120 },
    country: { type: 'string', pattern: '^[A-Z]{2}$', description: 'ISO 3166-1, two letters.' },
  },
  required: ['street', 'country'],
}

const orderInput = {
  type: 'object',
  properties: {
    customer: { type: 'string', description: 'The number of the customer.', examples: ['C-1042'] },
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: 50,
      description: 'What is ordered.',
      items: {
        type: 'object',
        properties: {
          article: { type: 'string' },
          quantity: { type: 'integer', minimum: 1, default: 1 },
          options: { type: 'object', additionalProperties: { type: 'string' } },
        },
        required: ['article'],
      },
    },
    delivery: { $ref: '#/$defs/address' },
    priority: { enum: ['normal', 'express', 'overnight'], default: 'normal' },
    note: { anyOf: [{ type: 'string', maxLength: 500 }, { type: 'null' }] },
  },
  required: ['customer', 'lines'],
  $defs: { address },
}

const treeInput = {
  type: 'object',
  properties: { root: { $ref: '#/$defs/node' } },
  $defs: {
    node: {
      type: 'object',
      properties: { label: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
    },
  },
}

/** A server with some of everything. Its tokens come from an authorization server. */
export const shopCatalogue: Catalogue = {
  server: {
    name: 'shop',
    version: '2.3.0',
    title: 'Corner shop',
    description: 'Orders, stock and customers of the corner shop.\nThe prices are in euros.',
    websiteUrl: 'https://shop.example.com/',
    icons: [{ src: 'https://elsewhere.example.com/icon.png' }],
  },
  instructions: 'Look up the customer before placing an order.',
  endpoint: '/mcp',
  transports: ['streamable-http'],
  revisions: ['2026-07-28', '2025-11-25'],
  security: {
    scheme: 'bearer',
    apiKeyHeader: 'X-API-Key',
    authorizationServers: ['https://id.example.com'],
    resourceMetadata: 'https://shop.example.com/.well-known/oauth-protected-resource/mcp',
    requiredScopes: ['shop'],
  },
  tools: [
    {
      listed: {
        name: 'place_order',
        title: 'Place an order',
        description: 'Places an order for a customer, and answers with its number.',
        inputSchema: orderInput,
        outputSchema: {
          type: 'object',
          properties: { number: { type: 'string' }, total: { type: 'number', description: 'In euros.' } },
          required: ['number', 'total'],
        },
        annotations: { destructiveHint: true, openWorldHint: false },
      },
      scopes: ['orders:write', 'customers:read'],
      conditional: true,
    },
    {
      listed: {
        name: 'stock_level',
        description: 'How many pieces of an article are left.',
        inputSchema: {
          type: 'object',
          properties: { article: { type: 'string' }, depot: { type: ['string', 'null'], default: null } },
          required: ['article'],
        },
        annotations: { readOnlyHint: true, idempotentHint: true },
      },
      scopes: [],
    },
    {
      listed: { name: 'category_tree', description: 'Moves categories.', inputSchema: treeInput },
      scopes: ['catalogue'],
    },
    {
      listed: { name: 'ping', inputSchema: { type: 'object', additionalProperties: false } },
      scopes: [],
    },
  ],
  resources: [
    {
      listed: {
        uri: 'shop://opening-hours',
        name: 'Opening hours',
        description: 'This week.',
        mimeType: 'text/plain',
        size: 1280,
        icons: [{ src: 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' }],
      },
      scopes: [],
    },
  ],
  resourceTemplates: [
    {
      listed: {
        uriTemplate: 'shop://orders/{number}',
        name: 'order',
        title: 'One order',
        mimeType: 'application/json',
      },
      scopes: ['orders:read'],
    },
  ],
  prompts: [
    {
      listed: {
        name: 'complaint',
        description: 'Answers a complaint.',
        arguments: [
          { name: 'order', description: 'Its number.', required: true },
          { name: 'tone', required: false },
        ],
      },
      scopes: [],
    },
  ],
}

/** A server whose every text is markup, and whose every address is one to keep away from. */
export const hostileCatalogue: Catalogue = {
  server: {
    name: markup,
    version: markup,
    title: markup,
    description: markup,
    websiteUrl: 'javascript:globalThis.ran=1',
    icons: [{ src: 'http://127.0.0.1:9/icon.png' }, { src: 'javascript:globalThis.ran=1' }],
  },
  instructions: markup,
  endpoint: '/mcp',
  transports: ['streamable-http'],
  revisions: [markup],
  security: {
    scheme: 'bearer',
    apiKeyHeader: markup,
    authorizationServers: ['javascript:globalThis.ran=1', markup],
    requiredScopes: [markup],
  },
  tools: [
    {
      listed: {
        name: markup,
        title: markup,
        description: markup,
        icons: [{ src: 'http://127.0.0.1:9/icon.png' }],
        inputSchema: {
          type: 'object',
          properties: {
            [markup]: { type: markup, description: markup, default: markup, enum: [markup] },
            ['__proto__']: { type: 'string', description: 'an ordinary name here' },
          },
          required: [markup],
        },
      },
      scopes: [markup],
    },
    // Nothing here is what it should be; the page still shows the rest.
    { listed: { name: 7, description: [], inputSchema: 'none', annotations: 1, icons: 'x' }, scopes: [] },
  ],
  resources: [{ listed: { uri: 'javascript:globalThis.ran=1', name: markup, mimeType: markup }, scopes: [] }],
  resourceTemplates: [{ listed: { uriTemplate: markup, name: markup }, scopes: [] }],
  prompts: [
    { listed: { name: markup, arguments: [{ name: markup, description: markup }, 'x', null] }, scopes: [] },
  ],
}
