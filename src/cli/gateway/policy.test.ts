import { expect, it } from 'vitest'
import type { Flags } from './flags.ts'
import { policyDocument, policyText } from './policy.ts'

const values = (given: Partial<Flags['values']>) => given as Flags['values']
const file = { rules: [{ tools: ['a*'] }], deny: { tools: ['ab'], prompts: ['p'] } }

it('without a word on the command line the policy is that of the file', () => {
  expect(policyDocument(undefined, values({}))).toBeUndefined()
  expect(policyDocument(file, values({}))).toBe(file)
})

it('the short forms narrow: everything but what is denied, only what is allowed, only what changes nothing', () => {
  expect(policyDocument(undefined, values({ 'deny-tool': ['x'] }))).toEqual({
    default: 'allow',
    deny: { tools: ['x'] },
  })
  expect(policyDocument(undefined, values({ 'read-only': true }))).toEqual({
    default: 'allow',
    readOnly: true,
  })
  // Nothing says `default: allow`: what is not named is denied.
  expect(policyDocument(undefined, values({ 'allow-tool': ['x', 'y*'], 'deny-tool': ['yy'] }))).toEqual({
    rules: [{ name: '--allow-tool', tools: ['x', 'y*'] }],
    deny: { tools: ['yy'] },
  })
})

it('they narrow the policy of a file, and never widen it', () => {
  expect(policyDocument(file, values({ 'read-only': true, 'deny-tool': ['x'] }))).toEqual({
    rules: file.rules,
    readOnly: true,
    deny: { tools: ['ab', 'x'], prompts: ['p'] },
  })
  expect(() => policyDocument(file, values({ 'allow-tool': ['x'] }))).toThrow('write it in the file')
})

it('a policy is told in a few words', () => {
  expect(policyText(undefined)).toBe('every good token may do everything')
  expect(policyText({})).toBe('everything is denied')
  expect(policyText({ default: 'allow', readOnly: true })).toBe('everything is allowed, read-only')
  expect(policyText({ ...file, default: 'deny' })).toBe(
    'one rule, what no rule names is denied, 2 denied for all',
  )
})
