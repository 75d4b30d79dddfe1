// What one sets for this desk, and one's own account.
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { ApiError } from '../api/client'
import { changePassword, endSession, ownSessions, type SessionInfo } from '../api/shell'
import { language, switchLanguage, useWords } from '../i18n'
import { short } from '../i18n/format'
import type { Catalogue } from '../i18n/pl'
import { deviceName } from '../shell/device'
import { density, singleKeys, theme } from '../shell/prefs'
import { Segments, TextField } from '../ui/Field'
import { useHere, useLive, useMe, useNow, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Page, PageHead } from '../ui/page'
import { Failure } from '../ui/parts'
import { Table } from '../ui/Table'

/** sound: what plays the tones to listen to. */
export function SettingsPage({ sound }: { sound?: ReactNode }) {
  const words = useWords()
  const text = words.areas.shell.settings
  return (
    <Page label={text.title}>
      <PageHead title={text.title} />
      <div className="settings" tabIndex={0} role="region" aria-label={text.title}>
        <DeskSettings />
        {sound && <section className="settings-part"><h2>{text.sound}</h2>{sound}</section>}
        <Password />
        <Sessions />
        <About />
      </div>
    </Page>
  )
}

function DeskSettings() {
  const words = useWords()
  const text = words.areas.shell.settings
  return (
    <section className="settings-part">
      <h2>{text.desk} <span className="faint">{text.deskNote}</span></h2>
      <div className="fields">
        <Segments label={text.language} value={words.code} onChoose={(code) => code !== language.get().code && switchLanguage()}
          choices={[{ value: 'pl', label: 'Polski' }, { value: 'en', label: 'English' }]} />
        <Segments label={text.theme} value={useValue(theme)} onChoose={(chosen) => theme.set(chosen)} choices={theme.choices.map((value) => ({ value, label: text.themes[value] }))} />
        <Segments label={text.density} value={useValue(density)} onChoose={(chosen) => density.set(chosen)} choices={density.choices.map((value) => ({ value, label: text.densities[value] }))} />
        <Segments label={text.keys} value={useValue(singleKeys)} onChoose={(chosen) => singleKeys.set(chosen)}
          choices={[{ value: 'on', label: text.keysOn }, { value: 'off', label: text.keysOff }]} />
      </div>
      <p className="hint">{text.keysNote}</p>
    </section>
  )
}

function Password() {
  const { station } = useHere()
  const me = useMe()
  const words = useWords()
  const text = words.areas.shell.settings
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState('')
  const [done, setDone] = useState(false)
  const differs = again !== '' && again !== next

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (sending || !old || !next || again !== next) return
    setSending(true)
    setProblem('')
    setDone(false)
    try {
      await changePassword(station.client, old, next)
      setOld('')
      setNext('')
      setAgain('')
      setDone(true)
    } catch (error) {
      setProblem(error instanceof ApiError ? error.code : 'other')
    } finally {
      setSending(false)
    }
  }

  return (
    <section className="settings-part">
      <h2>{text.password}</h2>
      <form className="fields" onSubmit={(event) => void submit(event)}>
        <input className="unseen" type="text" autoComplete="username" value={me.login} readOnly tabIndex={-1} aria-hidden="true" />
        <TextField label={text.oldPassword} type="password" name="old-password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)}
          error={problem === 'bad_credentials' ? text.passwordErrors.bad_credentials : undefined} />
        <TextField label={text.newPassword} type="password" name="new-password" autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)}
          error={problem === 'invalid_password' ? text.passwordErrors.invalid_password : undefined} hint={text.passwordNote} />
        <TextField label={text.repeatPassword} type="password" name="repeat-password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)}
          error={differs ? text.passwordDiffers : undefined} />
        <div className="settings-send">
          <Mutating>
            <button type="submit" className={sending ? 'button pending' : 'button'} disabled={sending || !old || !next || again !== next}>{sending ? words.link.sending : text.passwordSave}</button>
          </Mutating>
          <p role="status">{done && text.passwordDone}</p>
          <p className="problem" role="alert">{passwordProblem(words, problem)}</p>
        </div>
      </form>
    </section>
  )
}

/** What belongs to no single field. */
function passwordProblem(words: Catalogue, code: string): string {
  if (!code || code === 'bad_credentials' || code === 'invalid_password') return ''
  const errors: Record<string, string> = words.areas.shell.settings.passwordErrors
  return errors[code] ?? words.areas.shell.settings.passwordErrors.other
}

function Sessions() {
  const { station } = useHere()
  const live = useLive()
  const words = useWords()
  const now = useNow()
  const text = words.areas.shell.settings
  const [sessions, setSessions] = useState<readonly SessionInfo[] | undefined>()
  const [failed, setFailed] = useState(false)
  const [ending, setEnding] = useState<SessionInfo['id'] | undefined>()
  const [problem, setProblem] = useState(false)

  const load = useCallback(
    (signal?: AbortSignal) => {
      setFailed(false)
      return ownSessions(station.client, signal && { signal }).then(setSessions, () => setFailed(!signal?.aborted))
    },
    [station],
  )
  useEffect(() => {
    if (!live) return
    const abort = new AbortController()
    void load(abort.signal)
    return () => abort.abort()
  }, [load, live])

  const end = async (id: SessionInfo['id']) => {
    setEnding(id)
    setProblem(false)
    try {
      await endSession(station.client, id)
      await load()
    } catch {
      setProblem(true)
    } finally {
      setEnding(undefined)
    }
  }

  return (
    <section className="settings-part">
      <h2>{text.sessions}</h2>
      {failed && <Failure text={text.sessionsFailed} retry={() => void load()} />}
      {!failed && !sessions && <p className="faint">{text.sessionsLoading}</p>}
      {sessions && (
        <Table
          label={text.sessions} rows={sessions} rowKey={(session) => session.id}
          columns={[
            { key: 'device', head: text.device, cell: (session) => deviceName(session.user_agent) || text.unknownDevice },
            { key: 'began', head: text.began, kind: 'time', only: 'mid', cell: (session) => short(session.created_at, now) },
            { key: 'seen', head: text.seen, kind: 'time', cell: (session) => short(session.last_seen_at, now) },
            {
              key: 'end', head: '', kind: 'actions',
              cell: (session) => session.current ? <span className="tag">{text.current}</span> : (
                <Mutating>
                  <button type="button" className={ending === session.id ? 'button pending' : 'button'} disabled={ending !== undefined} onClick={() => void end(session.id)}>{text.end}</button>
                </Mutating>
              ),
            },
          ]}
        />
      )}
      <p className="problem" role="alert">{problem && text.endFailed}</p>
    </section>
  )
}

function About() {
  const { station } = useHere()
  const words = useWords()
  const text = words.areas.shell.settings
  const session = useValue(station.session)
  return (
    <section className="settings-part">
      <h2>{text.about}</h2>
      <dl className="facts">
        <dt>{text.version}</dt>
        <dd>{session.kind === 'in' && session.version ? session.version : '–'}</dd>
        <dt>{text.licences}</dt>
        <dd><a href="/licences.txt" target="_blank" rel="noreferrer">licences.txt</a></dd>
      </dl>
    </section>
  )
}
