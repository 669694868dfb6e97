import { fromJsonSchema } from '@modelcontextprotocol/server'

interface Parcel {
  readonly weightKg: number
  readonly service: 'economy' | 'standard' | 'express'
  readonly to: { readonly city: string; readonly country: string; readonly postcode?: string }
  readonly items?: readonly { readonly name: string; readonly quantity: number }[]
  readonly insured?: boolean
  readonly pickup?: string
}

/** Arguments of every kind a form has to know: numbers, a choice, an object within, a list, and what may be left out. */
export const parcelSchema = fromJsonSchema<Parcel>({
  type: 'object',
  properties: {
    weightKg: { type: 'number', title: 'Weight in kg', exclusiveMinimum: 0, maximum: 30, default: 1.5 },
    service: { type: 'string', enum: ['economy', 'standard', 'express'], default: 'standard' },
    to: {
      type: 'object',
      title: 'Where it goes',
      properties: {
        city: { type: 'string', minLength: 1 },
        country: { type: 'string', description: 'Two letters, such as SE', pattern: '^[A-Z]{2}$' },
        postcode: { type: 'string' },
      },
      required: ['city', 'country'],
    },
    items: {
      type: 'array',
      title: 'What is in it',
      maxItems: 5,
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } },
        required: ['name', 'quantity'],
      },
    },
    insured: { type: 'boolean', default: false },
    pickup: { type: 'string', format: 'date', description: 'When it is fetched; otherwise you bring it' },
  },
  required: ['weightKg', 'service', 'to'],
})

interface Quote {
  readonly price: number
  readonly currency: string
  readonly days: number
  readonly lines: readonly string[]
}

/** What comes back: structured, and described. */
export const quoteSchema = fromJsonSchema<Quote>({
  type: 'object',
  properties: {
    price: { type: 'number' },
    currency: { type: 'string' },
    days: { type: 'integer' },
    lines: { type: 'array', items: { type: 'string' } },
  },
  required: ['price', 'currency', 'days', 'lines'],
})

const services = {
  economy: { perKg: 2, days: 6 },
  standard: { perKg: 3, days: 3 },
  express: { perKg: 7, days: 1 },
} as const

/** Invented prices. */
export function quote({ weightKg, service, to, items = [], insured = false, pickup }: Parcel): Quote {
  const { perKg, days } = services[service]
  const price = 5 + weightKg * perKg + (insured ? 4 : 0) + (pickup === undefined ? 0 : 3)
  return {
    price: Math.round(price * 100) / 100,
    currency: 'EUR',
    days,
    lines: [
      `${weightKg} kg to ${to.city}, ${to.country}`,
      ...items.map(({ name, quantity }) => `${quantity} × ${name}`),
    ],
  }
}
