import { describe, expect, it } from 'vitest'
import { newerVersion } from '../src/api/admin'
import { ApiError } from '../src/api/client'
import { pl } from '../src/i18n/pl'
import { sentence } from '../src/views/admin/admin'
import { coordinate } from '../src/views/admin/SiteForm'

describe('coordinates', () => {
  it('takes a comma or a point, and nothing', () => {
    expect(coordinate(' 51,7592 ')).toBe(51.7592)
    expect(coordinate('19.456')).toBe(19.456)
    expect(coordinate('')).toBeUndefined()
    expect(coordinate('Łódź')).toBeNaN()
  })
})

describe('errors', () => {
  it('are sentences in the language of the desk', () => {
    expect(sentence(pl, new ApiError(409, 'login_taken', 'Another user has this login.'))).toBe('Ten login jest już zajęty.')
  })
  it('are the words of the server where nothing better is known', () => {
    expect(sentence(pl, new ApiError(422, 'something_new', 'A sentence.'))).toBe('A sentence.')
  })
  it('give the version that somebody else has saved', () => {
    const site = { name: 'Apteka', version: 4 }
    expect(newerVersion(new ApiError(412, 'version_mismatch', '', { site }), 'site')).toEqual(site)
    expect(newerVersion(new ApiError(409, 'site_has_panels', '', { site }), 'site')).toBeUndefined()
    expect(newerVersion(new Error('other'), 'site')).toBeUndefined()
  })
})
