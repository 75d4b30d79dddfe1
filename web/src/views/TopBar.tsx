import { useState } from 'react'
import type { Tone } from '../attention/tone'
import { switchLanguage, useWords } from '../i18n'
import { clockTime, date, offset, tenths, weekday } from '../i18n/format'
import { href, pages, type Route } from '../route'
import { useHere, useMe, useNow, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Key } from '../ui/parts'

export function TopBar({ page, tone }: { page: Route['page']; tone: Tone }) {
  const { station, desk } = useHere()
  const me = useMe()
  const words = useWords()
  const [problem, setProblem] = useState(false)

  const signOut = () => {
    setProblem(false)
    station.signOut().catch(() => setProblem(true))
  }

  return (
    <header className="top">
      <p className="brand"><i className="mark" aria-hidden="true" /><span>dozor</span></p>
      <nav aria-label={words.nav.label}>
        {pages.map((name) => (
          <a key={name} href={href({ page: name })} aria-current={name === page ? 'page' : undefined}>{words.nav[name]}</a>
        ))}
      </nav>
      <div className="top-right">
        <Sound tone={tone} />
        <LinkState />
        <Clock />
        <span className="who me" title={`${me.login}, ${words.roles[me.role]}`}>{me.name}</span>
        <button type="button" className="button quiet help-button" onClick={() => desk.help.set(true)} aria-label={words.keys.title}><Key>?</Key></button>
        <button type="button" className="button quiet" onClick={switchLanguage} lang={words.code === 'pl' ? 'en' : 'pl'} title={words.other}>
          {words.code === 'pl' ? 'EN' : 'PL'}
        </button>
        <Mutating>
          <button type="button" className="button quiet" onClick={signOut}>{words.signIn.out}</button>
        </Mutating>
        {problem && <span className="problem" role="alert">{words.results.failed}</span>}
      </div>
    </header>
  )
}

function Sound({ tone }: { tone: Tone }) {
  const words = useWords()
  const state = useValue(tone.state)
  return state === 'on' ? (
    <button type="button" className="button quiet sound" title={words.sound.test} onClick={() => tone.test()} data-sound="on">
      <span className="dot on" aria-hidden="true" />{words.sound.on}
    </button>
  ) : (
    <button type="button" className="button sound-off" title={words.sound.hint} onClick={tone.unlock} data-sound="off">{words.sound.off}</button>
  )
}

function LinkState() {
  const { station } = useHere()
  const words = useWords()
  const status = useValue(station.stream.status)
  useNow()
  const live = status.phase === 'live'
  const age = Math.max(0, Date.now() - station.stream.heardAt)
  return (
    <span className="link-state" data-phase={status.phase}>
      <span className={live ? 'dot on' : 'dot'} aria-hidden="true" />
      {live ? (
        <span className="link-word">{words.link.live} <b className="num">{tenths(words, age)}</b></span>
      ) : (
        <span className="link-word">{status.degraded ? words.link.lost : status.phase === 'syncing' ? words.link.syncing : words.link.connecting}</span>
      )}
    </span>
  )
}

function Clock() {
  const words = useWords()
  const now = useNow()
  return (
    <span className="clock-group">
      <span className="clock-date">{weekday(words, now)} {date(now)}</span>
      <time className="clock">{clockTime(now)}</time>
      <span className="clock-zone">{offset(now)}</span>
    </span>
  )
}
