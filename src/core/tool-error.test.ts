import { describe, expect, it } from 'vitest'
import { ToolError } from './tool-error.ts'

describe('ToolError', () => {
  it('is an error with a message, and nothing more by default', () => {
    const error = new ToolError('no such file')
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.message]).toEqual(['ToolError', 'no such file'])
    expect('cause' in error).toBe(false)
    expect('result' in error).toBe(false)
  })

  it('keeps its cause and the result of the tool', () => {
    const cause = new Error('ENOENT')
    const result = { isError: true }
    expect(new ToolError('no such file', { cause, result })).toMatchObject({ cause, result })
  })
})
