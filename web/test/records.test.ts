import { describe, expect, it } from 'vitest'
import { instantOf } from '../src/views/records/instant'

describe('a minute in Warsaw', () => {
  it('is an instant in winter and in summer', () => {
    expect(instantOf('2026-11-24T06:00')).toBe('2026-11-24T05:00:00.000Z')
    expect(instantOf('2026-07-08T16:07')).toBe('2026-07-08T14:07:00.000Z')
  })
  it('is the first of the two in the October hour, and the next in the missing one of March', () => {
    expect(instantOf('2026-10-25T02:30')).toBe('2026-10-25T00:30:00.000Z')
    expect(instantOf('2026-03-29T02:30')).toBe('2026-03-29T01:30:00.000Z')
  })
  it('is nothing where it is no time', () => {
    expect(instantOf('')).toBeUndefined()
    expect(instantOf('2026-13-40T99:00')).toBeUndefined()
    expect(instantOf('yesterday')).toBeUndefined()
  })
})
