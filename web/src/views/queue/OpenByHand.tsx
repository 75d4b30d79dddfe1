// An alarm that somebody phones in: site, kind, words.
import { useEffect, useId, useRef, useState } from 'react'
import { findSites, type HandKind, handKinds, openAlarm } from '../../api/alarms'
import { ApiError } from '../../api/client'
import type { Site } from '../../api/types'
import { useWords, wordFor } from '../../i18n'
import { isSend } from '../../keys/keymap'
import { uuid } from '../../live/uuid'
import { go } from '../../route'
import { Dialog, DialogFoot } from '../../ui/Dialog'
import { Field, TextArea, TextField } from '../../ui/Field'
import { useHere } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'
import { Key } from '../../ui/parts'

export function OpenByHand({ onClose }: { onClose: () => void }) {
  const { station, desk } = useHere()
  const words = useWords()
  const text = words.areas.desk.byHand
  const [site, setSite] = useState<Site>()
  const [kind, setKind] = useState<HandKind | ''>('')
  const [said, setSaid] = useState('')
  const [caller, setCaller] = useState('')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState('')
  const attempt = useRef<{ id: string; of: string }>(undefined)
  const next = useRef<HTMLSelectElement>(null)

  const ready = site !== undefined && kind !== '' && said.trim() !== ''
  const send = async () => {
    if (!site || kind === '' || !ready || sending) return
    const body = { site_id: site.id, kind, text: said.trim(), ...(caller.trim() && { caller: caller.trim() }) }
    // What was not answered is sent again under the same key: it opens no second alarm.
    const of = JSON.stringify(body)
    if (attempt.current?.of !== of) attempt.current = { id: uuid(), of }
    setSending(true)
    setProblem('')
    try {
      const { alarm } = await openAlarm(station.client, body, attempt.current.id)
      station.learn(alarm)
      desk.cursor.set(alarm.id)
      onClose()
      go({ page: 'alarms', id: alarm.id })
    } catch (error) {
      setSending(false)
      if (!(error instanceof ApiError) || error.status === 0) setProblem(text.noAnswer)
      else setProblem(`${text.refused}: ${wordFor(words.results.codes, error.code)}`)
    }
  }

  return (
    <Dialog title={text.title} onClose={onClose}>
      <form
        data-testid="by-hand" onKeyDown={(event) => isSend(event.nativeEvent) && void send()}
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        {site ? (
          <div className="field">
            <span>{text.site}</span>
            <p className="chosen-site">
              <span><b>{site.name}</b> <span className="faint">{[site.address, site.city].filter(Boolean).join(', ')}</span></span>
              <button type="button" className="button quiet" onClick={() => setSite(undefined)}>{text.change}</button>
            </p>
          </div>
        ) : (
          <SiteSearch onChoose={(found) => {
            setSite(found)
            setTimeout(() => next.current?.focus())
          }} />
        )}
        <Field label={text.kind}>
          {(wiring) => (
            <select {...wiring} ref={next} value={kind} onChange={(event) => setKind(event.target.value as HandKind | '')}>
              <option value="">{text.pickKind}</option>
              {handKinds.map((name) => <option key={name} value={name}>{text.kinds[name]}</option>)}
            </select>
          )}
        </Field>
        <TextArea label={text.text} placeholder={text.textPlaceholder} maxLength={2000} value={said} onChange={(event) => setSaid(event.target.value)} />
        <TextField label={text.caller} placeholder={text.callerPlaceholder} maxLength={200} value={caller} onChange={(event) => setCaller(event.target.value)} autoComplete="off" />
        {problem && <p className="problem" role="alert">{problem}</p>}
        {!ready && <p className="faint">{text.missing}</p>}
        <DialogFoot>
          <button type="button" className="button quiet" onClick={onClose}>{text.cancel} <Key>Esc</Key></button>
          <Mutating>
            <button type="submit" className={sending ? 'button pending' : 'button primary'} disabled={!ready || sending}>
              {sending ? words.link.sending : text.submit} <Key>Ctrl+Enter</Key>
            </button>
          </Mutating>
        </DialogFoot>
      </form>
    </Dialog>
  )
}

/** How long after a key the server is asked. */
const pauseBeforeSearch = 150

/** Finds a site by name, address or contract: arrows choose, Enter takes. */
function SiteSearch({ onChoose }: { onChoose: (site: Site) => void }) {
  const { station } = useHere()
  const words = useWords()
  const text = words.areas.desk.byHand
  const list = useId()
  const field = useRef<HTMLInputElement>(null)
  const [q, setQ] = useState('')
  const [found, setFound] = useState<{ state: 'none' | 'searching' | 'failed' } | { state: 'found'; sites: readonly Site[] }>({ state: 'none' })
  const [at, setAt] = useState(0)

  useEffect(() => field.current?.focus(), [])
  useEffect(() => {
    const wanted = q.trim()
    if (wanted === '') {
      setFound({ state: 'none' })
      return
    }
    const abort = new AbortController()
    const timer = setTimeout(() => {
      setFound((was) => (was.state === 'found' ? was : { state: 'searching' }))
      findSites(station.client, wanted, { signal: abort.signal }).then(
        (sites) => {
          if (abort.signal.aborted) return
          setFound({ state: 'found', sites })
          setAt(0)
        },
        () => !abort.signal.aborted && setFound({ state: 'failed' }),
      )
    }, pauseBeforeSearch)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [station, q])

  const sites = found.state === 'found' ? found.sites : []
  const chosen = sites[at]
  return (
    <div className="site-search">
      <Field label={text.site}>
        {(wiring) => (
          <input
            {...wiring} ref={field} type="text" role="combobox" autoComplete="off" aria-expanded={sites.length > 0} aria-controls={list}
            aria-activedescendant={chosen && `${list}-${chosen.id}`} aria-autocomplete="list" placeholder={text.sitePlaceholder}
            value={q} onChange={(event) => setQ(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'ArrowDown') setAt(Math.min(sites.length - 1, at + 1))
              else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1))
              else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && chosen) onChoose(chosen)
              else return
              event.preventDefault()
            }}
          />
        )}
      </Field>
      <ul className="site-options" role="listbox" id={list} aria-label={text.site}>
        {sites.map((site, i) => (
          <li key={site.id} id={`${list}-${site.id}`} role="option" aria-selected={i === at} className={i === at ? 'on' : ''} onMouseDown={(event) => event.preventDefault()} onClick={() => onChoose(site)}>
            <b>{site.name}</b> <span className="faint">{[site.address, site.city].filter(Boolean).join(', ')}</span>
          </li>
        ))}
      </ul>
      <p className="faint" role="status">
        {found.state === 'searching' ? text.searching : found.state === 'failed' ? text.searchFailed : found.state === 'found' && sites.length === 0 ? text.noSite : ''}
      </p>
    </div>
  )
}
