// The way in: who, and whether this desk can be heard. The click or key that signs in is
// also the one that lets the browser play.
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client'
import type { Me } from '../api/types'
import { useAttention } from '../attention'
import { SoundQuestion } from '../attention/SoundCheck'
import { switchLanguage, useWords } from '../i18n'
import { clockTime, date, offset, tenths, weekday } from '../i18n/format'
import { serverClock } from '../live/clock'
import type { Station } from '../live/station'
import { timers } from '../live/timers'
import { useHere, useNow } from '../ui/hooks'

export function SignIn({ expired }: { expired: boolean }) {
  const { station } = useHere()
  const words = useWords()
  const say = words.areas.attention.signIn
  // Its listeners must be there before the gesture that signs in.
  useAttention()
  const [person, setPerson] = useState<Me>()
  const begin = useRef(() => {})
  const server = useServer(station, person === undefined)

  const ready = (user: Me) =>
    new Promise<void>((resolve) => {
      begin.current = resolve
      setPerson(user)
    })

  return (
    <div className="sign-in">
      <Bar server={server} />
      <main className="sign-in-steps">
        <section className="sign-in-step" aria-current={person ? undefined : 'step'}>
          <h1><Number n={1} on={!person} />{say.person}</h1>
          {person ? (
            <p className="sign-in-person"><span className="initials" aria-hidden="true">{initials(person.name)}</span><span><b>{person.name}</b><br /><span className="faint">{words.roles[person.role]}</span></span></p>
          ) : (
            <Credentials expired={expired} silent={server === 'silent'} signIn={(login, password) => station.signIn(login, password, ready)} />
          )}
        </section>
        <section className="sign-in-step" aria-current={person ? 'step' : undefined}>
          <h2><Number n={2} on={person !== undefined} />{say.sound}</h2>
          {person ? <SoundQuestion user={person.id} question={say.hello(person.name)} begins onDone={() => begin.current()} /> : <p className="faint">{say.soundFirst}</p>}
        </section>
      </main>
      <footer className="sign-in-foot">{say.quiet}</footer>
    </div>
  )
}

function Number({ n, on }: { n: number; on: boolean }) {
  return <span className={on ? 'step-number on' : 'step-number'} aria-hidden="true">{n}</span>
}

interface CredentialsProps {
  expired: boolean
  silent: boolean
  signIn: (login: string, password: string) => Promise<void>
}

function Credentials({ expired, silent, signIn }: CredentialsProps) {
  const words = useWords()
  const say = words.areas.attention.signIn
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState('')
  const secret = useRef<HTMLInputElement>(null)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (sending) return
    setSending(true)
    setProblem('')
    try {
      await signIn(login, password)
    } catch (error) {
      setSending(false)
      setProblem(error instanceof ApiError ? error.code : 'unknown')
      // What was typed stays: it may have been the server. The next letter replaces it.
      secret.current?.focus()
      secret.current?.select()
    }
  }

  const errors: Record<string, string> = words.signIn.errors
  return (
    <form className="sign-in-form" method="post" action="/api/session" onSubmit={submit}>
      {expired && !problem && <p className="notice" role="status">{words.signIn.expired}</p>}
      {silent && !problem && <p className="notice warn" role="status">{say.silentHint}</p>}
      <label className="field">
        <span>{words.signIn.login}</span>
        <input name="login" autoComplete="username" autoCapitalize="none" autoCorrect="off" spellCheck={false} autoFocus required
          value={login} onChange={(event) => setLogin(event.target.value)} />
      </label>
      <label className="field">
        <span>{words.signIn.password}</span>
        <input ref={secret} name="password" type="password" autoComplete="current-password" required aria-describedby="sign-in-problem"
          value={password} onChange={(event) => setPassword(event.target.value)} />
      </label>
      <p className="problem" role="alert" id="sign-in-problem">{problem && (errors[problem] ?? words.errors.unexpected)}</p>
      <button className="button primary large" type="submit" disabled={sending || !login || !password}>
        {sending ? words.signIn.sending : words.signIn.submit}
      </button>
    </form>
  )
}

function Bar({ server }: { server: Server }) {
  const words = useWords()
  const say = words.areas.attention.signIn
  const now = useNow()
  return (
    <header className="sign-in-bar">
      <p className="brand"><i className="mark" aria-hidden="true" /><span>dozor</span></p>
      <span className="grow" />
      <p className={server === 'silent' ? 'server-state silent' : 'server-state'} role="status" data-server={typeof server === 'number' ? 'answers' : server}>
        <span className={typeof server === 'number' ? 'dot on' : 'dot'} aria-hidden="true" />
        {typeof server === 'number' ? say.answers : say[server]}
      </p>
      {typeof server === 'number' && <b className="num server-time">{tenths(words, server)}</b>}
      <span className="clock-group">
        <span className="clock-date">{weekday(words, now)} {date(now)}</span>
        <time className="clock">{clockTime(now)}</time>
        <span className="clock-zone">{offset(now)}</span>
      </span>
      <div className="language" role="group" aria-label={say.language}>
        {(['pl', 'en'] as const).map((code) => (
          <button key={code} type="button" lang={code} aria-pressed={words.code === code} className="button quiet" onClick={() => words.code !== code && switchLanguage()}>
            {code.toUpperCase()}<span className="unseen"> {words.code === code ? words.name : words.other}</span>
          </button>
        ))}
      </div>
    </header>
  )
}

/** Milliseconds the last answer took, or that there is none. */
type Server = number | 'asking' | 'silent'

const askEvery = 3_000
const askLimit = 3_000

/** Asks the server whether it is there, for as long as somebody waits to sign in. */
function useServer(station: Station, asks: boolean): Server {
  const [server, setServer] = useState<Server>('asking')
  useEffect(() => {
    if (!asks) return
    let gone = false
    let again = () => {}
    const ask = async () => {
      const began = performance.now()
      const result = await answered(station)
      if (gone) return
      setServer(result ? performance.now() - began : 'silent')
      again = timers.after(askEvery, () => void ask())
    }
    void ask()
    return () => {
      gone = true
      again()
    }
  }, [station, asks])
  return server
}

async function answered(station: Station): Promise<boolean> {
  try {
    const { server } = await station.client.session({ timeout: askLimit })
    if (server) serverClock.observe(server.time)
    return true
  } catch (error) {
    // Any answer but a failure of its own says that it could let somebody in.
    return error instanceof ApiError && error.status > 0 && error.status < 500
  }
}

function initials(name: string): string {
  return name.split(/[\s.]+/).filter(Boolean).map((part) => part[0]).slice(0, 2).join('').toUpperCase()
}
