// The header: where one is, where one can go, and whether this desk is to be trusted.
import type { ReactNode } from 'react'
import { switchLanguage, useWords } from '../i18n'
import { age, clockTime, date, offset, tenths, weekday } from '../i18n/format'
import { href, inMenu, type Page, pagesFor } from '../route'
import { DeskMenu } from '../shell/DeskMenu'
import { shownTheme, theme } from '../shell/prefs'
import { useHere, useMe, useNow, useValue } from '../ui/hooks'
import { Key } from '../ui/parts'

interface Props {
  page: Page
  /** Whether this desk can sound. */
  sound: ReactNode
  /** Who is on shift. */
  people: ReactNode
}

export function TopBar({ page, sound, people }: Props) {
  const { desk } = useHere()
  const words = useWords()
  return (
    <header className="top">
      <p className="brand"><i className="mark" aria-hidden="true" /><span>dozor</span></p>
      <QueueButton />
      <Nav page={page} place="top" />
      <button type="button" className="find" onClick={() => desk.palette.set(true)} aria-label={words.areas.shell.top.find} aria-keyshortcuts="Control+K">
        <i className="icon search" aria-hidden="true" />
        <span className="find-text cut">{words.areas.shell.top.find}</span>
        <Key>Ctrl K</Key>
      </button>
      <div className="top-right">
        {people}
        <LinkState />
        {sound}
        <Clock />
        <button type="button" className="button quiet top-language" onClick={switchLanguage} lang={words.code === 'pl' ? 'en' : 'pl'} title={words.other}>
          {words.code === 'pl' ? 'EN' : 'PL'}
        </button>
        <ThemeButton />
        <DeskMenu />
      </div>
    </header>
  )
}

export function Nav({ page, place }: { page: Page; place: 'top' | 'bottom' }) {
  const me = useMe()
  const words = useWords()
  return (
    <nav className={`nav-${place}`} aria-label={words.nav.label}>
      {pagesFor(me).map((name) => !inMenu.has(name) && (
        <a key={name} href={href({ page: name })} aria-current={name === page ? 'page' : undefined}>{words.nav[name]}</a>
      ))}
    </nav>
  )
}

/** On a narrow desk the queue comes out beside an alarm when it is asked to. */
function QueueButton() {
  const { desk, station } = useHere()
  const words = useWords()
  const open = useValue(desk.drawer)
  return (
    <button type="button" className="button quiet queue-button" aria-expanded={open} onClick={() => desk.drawer.set(!open)}>
      <i className="icon list" aria-hidden="true" />
      {words.areas.shell.top.queue}
      <QueueCount station={station} />
    </button>
  )
}

function QueueCount({ station }: Pick<ReturnType<typeof useHere>, 'station'>) {
  useNow()
  return <span className="num faint">{station.alarms.list().length}</span>
}

function ThemeButton() {
  const words = useWords()
  useValue(theme)
  const next = shownTheme() === 'dark' ? 'light' : 'dark'
  const name = next === 'light' ? words.areas.shell.top.toLight : words.areas.shell.top.toDark
  return (
    <button type="button" className="button quiet icon-button top-theme" onClick={() => theme.set(next)} aria-label={name} title={name}>
      <i className="icon theme" aria-hidden="true" />
    </button>
  )
}

/** How old what is on the screen is: tenths of a second while it lives, the whole outage when it does not. */
export function LinkState() {
  const { station } = useHere()
  const words = useWords()
  const status = useValue(station.stream.status)
  useNow()
  const live = status.phase === 'live'
  const heard = Math.max(0, Date.now() - station.stream.heardAt)
  return (
    <span className={status.degraded ? 'link-state off' : 'link-state'} data-phase={status.phase}>
      <span className={live ? 'dot on' : 'dot'} aria-hidden="true" />
      {live ? (
        <span className="link-word">{words.link.live} <b className="num">{tenths(words, heard)}</b></span>
      ) : status.degraded ? (
        <b className="link-word num">{words.areas.shell.top.noServer} {status.liveAt > 0 && age(words, heard)}</b>
      ) : (
        <span className="link-word">{status.phase === 'syncing' ? words.link.syncing : words.link.connecting}</span>
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
