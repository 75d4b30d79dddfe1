// Everything that can be found or done, by typing. It lies below the bands like every
// dialog and needs no pointer.
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import { findSites } from '../api/alarms'
import { people, type Person } from '../api/shell'
import type { Site } from '../api/types'
import { useWords } from '../i18n'
import { Dialog } from '../ui/Dialog'
import { useHere, useLive } from '../ui/hooks'
import { type Hit, useLocalHits, usePeopleHits, useSiteHits } from './hits'

/** How long somebody must stop typing before the server is asked. */
const pause = 150
const perGroup = 8

export function Palette({ mute }: { mute: (() => void) | undefined }) {
  const { desk } = useHere()
  const words = useWords()
  const { palette } = words.areas.shell
  const id = useId()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const live = useLive()
  const found = useServer(query, live)
  const local = useLocalHits(query, perGroup, mute)
  const sites = useSiteHits(found.sites, perGroup)
  const persons = usePeopleHits(query, found.people, perGroup)
  const groups = useMemo(() => [local.alarms, sites, local.panels, persons, local.pages, local.commands].filter((group) => group.hits.length > 0), [local, sites, persons])
  const hits = groups.flatMap((group) => group.hits)
  const chosen = hits[Math.min(at, hits.length - 1)]

  useEffect(() => setAt(0), [query])
  useEffect(() => {
    if (chosen) document.getElementById(`${id}-${chosen.key}`)?.scrollIntoView({ block: 'nearest' })
  }, [id, chosen])

  const close = () => desk.palette.set(false)
  const run = (hit: Hit) => {
    close()
    hit.run()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    const last = hits.length - 1
    const now = Math.min(at, last)
    const to = { ArrowDown: now >= last ? 0 : now + 1, ArrowUp: now <= 0 ? last : now - 1, PageDown: Math.min(last, now + perGroup), PageUp: Math.max(0, now - perGroup) }[event.key]
    if (to !== undefined) setAt(to)
    else if (event.key === 'Enter' && chosen && !event.repeat) run(chosen)
    else return
    event.preventDefault()
  }

  const note = !live ? palette.offline : found.failed ? palette.failed : found.busy ? palette.searching : hits.length === 0 ? palette.none : ''
  return (
    <Dialog title={palette.title} untitled size="palette" onClose={close} focus={input}>
      <input
        ref={input} className="palette-input" type="text" role="combobox" aria-label={palette.title} aria-expanded={hits.length > 0} aria-controls={`${id}-list`}
        aria-activedescendant={chosen ? `${id}-${chosen.key}` : undefined} aria-autocomplete="list" placeholder={palette.placeholder} autoComplete="off" spellCheck={false}
        value={query} onChange={(event) => setQuery(event.target.value)} onKeyDown={onKeyDown}
      />
      <div className="palette-list" id={`${id}-list`} role="listbox" aria-label={palette.title}>
        {groups.map((group) => (
          <div key={group.name} role="group" aria-labelledby={`${id}-g-${group.name}`}>
            <p className="palette-group" id={`${id}-g-${group.name}`}>
              {palette.groups[group.name]} {group.more > 0 && <span className="faint num">{palette.more(group.more)}</span>}
            </p>
            {group.hits.map((hit) => (
              <div
                key={hit.key} id={`${id}-${hit.key}`} role="option" aria-selected={hit === chosen} className="palette-hit"
                onPointerMove={() => hit !== chosen && setAt(hits.indexOf(hit))} onClick={() => run(hit)}
              >
                {hit.mark}
                <span className="cut"><b>{hit.text}</b>{hit.detail && <span className="faint"> {hit.detail}</span>}</span>
              </div>
            ))}
          </div>
        ))}
      </div>
      <p className="palette-foot"><span aria-live="polite">{note || palette.found(hits.length)}</span><span className="grow" />{palette.hint}</p>
    </Dialog>
  )
}

interface FromServer {
  sites: readonly Site[]
  people: readonly Person[]
  busy: boolean
  failed: boolean
}

/** What only the server knows. A new word ends the question before it. */
function useServer(query: string, live: boolean): FromServer {
  const { station } = useHere()
  const [sites, setSites] = useState<readonly Site[]>([])
  const [persons, setPersons] = useState<readonly Person[]>([])
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState(false)
  const wanted = query.trim()

  useEffect(() => {
    if (!live) return
    const abort = new AbortController()
    people(station.client, { signal: abort.signal }).then(setPersons, () => {})
    return () => abort.abort()
  }, [station, live])

  useEffect(() => {
    setFailed(false)
    if (!live || wanted.length < 2) {
      setSites([])
      setBusy(false)
      return
    }
    setBusy(true)
    const abort = new AbortController()
    const timer = setTimeout(() => {
      findSites(station.client, wanted, { signal: abort.signal })
        .then(setSites, () => setFailed(!abort.signal.aborted))
        .finally(() => setBusy(abort.signal.aborted))
    }, pause)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [station, wanted, live])

  return { sites, people: persons, busy, failed }
}
