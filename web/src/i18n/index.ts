// The language of this desk: Polish until somebody switches; kept over reloads.
import { useSyncExternalStore } from 'react'
import { Value } from '../live/value'
import { en } from './en'
import { type Catalogue, pl } from './pl'

const catalogues: Record<string, Catalogue> = { pl, en }
const storageKey = 'dozor.language'

function remembered(): Catalogue {
  try {
    return catalogues[localStorage.getItem(storageKey) ?? ''] ?? pl
  } catch {
    return pl
  }
}

export const language = new Value<Catalogue>(remembered())

export function switchLanguage(): void {
  const next = language.get().code === 'pl' ? en : pl
  language.set(next)
  try {
    localStorage.setItem(storageKey, next.code)
  } catch {
    // A window without storage forgets the choice on reload.
  }
}

/** The words of the language in use; the caller is drawn anew when it changes. */
export function useWords(): Catalogue {
  return useSyncExternalStore(language.subscribe, language.get)
}

/** The word for a value that may be newer than this client; then the value itself. */
export function wordFor(words: object, value: string | undefined): string {
  if (!value) return ''
  const known = (words as Record<string, unknown>)[value]
  return typeof known === 'string' ? known : value.replaceAll('_', ' ')
}
