// The console of somebody who is signed in: the bands, a page, the keys. What is not
// needed to see and work alarms comes when it is first opened.
import { useEffect, useRef } from 'react'
import { NotificationsChoice, People, SoundCheck, SoundState, StationBand, Title, useAttention } from '../attention'
import { KeyReader } from '../keys/keymap'
import { perform } from '../keys/perform'
import { pagesFor, useRoute } from '../route'
import { pageOf, Part } from '../shell/Boundary'
import { Palette } from '../shell/Palette'
import { singleKeys } from '../shell/prefs'
import { Ticker } from '../shell/Ticker'
import { useHere, useLive, useMe, useValue } from '../ui/hooks'
import { AlarmView } from './AlarmView'
import { KeysHelp } from './KeysHelp'
import { Panels } from './Panels'
import { Queue } from './Queue'
import { StateBand } from './StateBand'
import { Nav, TopBar } from './TopBar'

const SitesPage = pageOf(async () => (await import('./admin/SitesPage')).SitesPage)
const UsersPage = pageOf(async () => (await import('./admin/UsersPage')).UsersPage)
const LettersPage = pageOf(async () => (await import('./admin/LettersPage')).LettersPage)
const EventsPage = pageOf(async () => (await import('./records/EventsPage')).EventsPage)
const StatusPage = pageOf(async () => (await import('./records/StatusPage')).StatusPage)
const SettingsPage = pageOf(async () => {
  const { SettingsPage: Settings } = await import('./SettingsPage')
  return () => <Settings sound={<><SoundCheck /><NotificationsChoice /></>} />
})

export function Console() {
  const { station, desk } = useHere()
  const me = useMe()
  const { degraded } = useValue(station.stream.status)
  const route = useRoute()
  const help = useValue(desk.help)
  const palette = useValue(desk.palette)
  const drawer = useValue(desk.drawer)
  const attention = useAttention()
  const mute = () => attention.silence()
  useKeys(route, mute)

  // Bands and ticker name panels on every page.
  const live = useLive()
  useEffect(() => {
    if (!live) return
    const abort = new AbortController()
    // Without them the bands say less; the page of panels tells what failed.
    station.loadPanels(abort.signal).catch(() => {})
    return () => abort.abort()
  }, [station, live])

  // A form belongs to the alarm it was opened on.
  const shown = useRef(route.id)
  useEffect(() => {
    if (shown.current !== route.id) {
      const came = shown.current
      shown.current = route.id
      if (came !== undefined) desk.form.set(undefined)
    }
    if (route.page === 'alarms' && route.id !== undefined) desk.cursor.set(route.id)
    station.desks.change({ alarm: route.page === 'alarms' ? route.id : undefined })
  }, [station, desk, route.page, route.id])

  const page = pagesFor(me).includes(route.page) ? route.page : 'alarms'
  const classes = ['console', `page-${page}`, route.id !== undefined && 'with-detail', degraded && 'lost', drawer && 'drawer-open']
  return (
    <div className={classes.filter(Boolean).join(' ')}>
      <Title />
      <TopBar page={page} sound={<SoundState />} people={<People />} />
      <StateBand />
      <StationBand />
      <main className="page">
        {page === 'alarms' && <Part><Queue open={route.id} /></Part>}
        {page === 'alarms' && <Part><AlarmView key={route.id} id={route.id} /></Part>}
        {page === 'panels' && <Part><Panels open={route.id} /></Part>}
        {page === 'sites' && <Part><SitesPage /></Part>}
        {page === 'events' && <Part><EventsPage /></Part>}
        {page === 'users' && <Part><UsersPage /></Part>}
        {page === 'letters' && <Part><LettersPage /></Part>}
        {page === 'status' && <Part><StatusPage /></Part>}
        {page === 'settings' && <Part><SettingsPage /></Part>}
      </main>
      <Ticker />
      <Nav page={page} place="bottom" />
      {help && <KeysHelp />}
      {palette && <Palette mute={mute} />}
    </div>
  )
}

function useKeys(route: ReturnType<typeof useRoute>, mute: () => void) {
  const { station, desk } = useHere()
  const me = useMe()
  const latest = useRef(mute)
  // It outlives a change of page: the first half of a chord may be on the page before.
  const reader = useRef(new KeyReader())
  useEffect(() => {
    latest.current = mute
  })
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return
      const action = reader.current.read(event, event.timeStamp, singleKeys.get() === 'on')
      if (!action || action === 'chord') return
      const covered = document.querySelector('.sheet') !== null
      if (perform(action, { station, desk, me, route, covered, mute: () => latest.current() })) event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [station, desk, me, route.page, route.id])
}
