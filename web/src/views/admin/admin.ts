// What the pages of administration share: the interface, and errors as sentences.
import { useMemo } from 'react'
import { Admin } from '../../api/admin'
import { ApiError } from '../../api/client'
import type { Catalogue } from '../../i18n/pl'
import { wordFor } from '../../i18n'
import { useHere } from '../../ui/hooks'

export function useAdmin(): Admin {
  const { station } = useHere()
  return useMemo(() => new Admin(station.client), [station])
}

/** An error as a sentence in the operator's language; the server's own words where none is known. */
export function sentence(words: Catalogue, error: unknown): string {
  if (!(error instanceof ApiError)) return words.results.failed
  const known = (words.areas.admin.errors as Record<string, string>)[error.code]
  return known ?? (error.message || wordFor({}, error.code))
}
