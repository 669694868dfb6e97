import { describe, expect, it } from 'vitest'
import { placeholderCause } from './placeholder.ts'

const variable = '$'.concat('{TOKEN}')

describe('placeholderCause', () => {
  it.each([
    [`Bearer ${variable}`, 'unexpanded_variable'],
    [variable, 'unexpanded_variable'],
    [`Bearer sk-${variable}`, 'unexpanded_variable'],
    ['Bearer {env:TOKEN}', 'unexpanded_variable'],
    ['Bearer {{ token }}', 'unexpanded_variable'],
    ['Bearer $TOKEN', 'unexpanded_variable'],
    ['Bearer $(cat token)', 'unexpanded_variable'],
    ['Bearer %TOKEN%', 'unexpanded_variable'],
    ['bearer bearer abc', 'doubled_scheme'],
    ['Bearer Bearer', 'doubled_scheme'],
    ['Bearer undefined', 'missing_value'],
    ['Bearer null', 'missing_value'],
    ['Bearer None', 'missing_value'],
    ['Bearer [object Object]', 'missing_value'],
    ['Bearer <token>', 'angle_brackets'],
    ['<token>', 'angle_brackets'],
    ['YOUR_API_KEY', 'example'],
    ['Bearer your-token-here', 'example'],
    ['your_mcp_api_key', 'example'],
    ['my_secret', 'example'],
    ['Bearer API_KEY', 'example'],
    ['changeme', 'example'],
    ['REPLACE_ME', 'example'],
    ['token', 'example'],
    ['xxx', 'example'],
    ['sk-xxxxxxxxxxxx', 'example'],
    ['mcpk_live_XXXXXXXX', 'example'],
    ['sk-...', 'example'],
    ['Bearer ********', 'example'],
  ])('FL-32 explains %s as %s', (value, cause) => {
    expect(placeholderCause(value)).toBe(cause)
  })

  it.each([
    '',
    'Bearer',
    'Bearer abc',
    'bearer',
    'Basic eA==',
    'Bearer nullable',
    'Bearer a<b>c',
    'Bearer %41%42',
    'xx',
    'xxxy',
    'sk-xxxa',
    'tokens',
    'my_secret_42',
    'changemenow',
    `xxx${'x'.repeat(100)}`,
  ])('FL-32 has no explanation for %s', (value) => {
    expect(placeholderCause(value)).toBeUndefined()
  })
})
