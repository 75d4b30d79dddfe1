// The console of somebody who is signed in: the bands at the top, a page, the keys.
import { useEffect, useRef } from 'react'
import { Title, useTone } from '../attention/Attention'
import { actionFor } from '../keys/keymap'
import { perform } from '../keys/perform'
import { useRoute } from '../route'
import { useHere, useMe, useValue } from '../ui/hooks'
import { AlarmView } from './AlarmView'
import { SitesPage } from './admin/SitesPage'
import { UsersPage } from './admin/UsersPage'
import { KeysHelp } from './KeysHelp'
import { Panels } from './Panels'
import { Queue } from './Queue'
import { EventsPage } from './records/EventsPage'
import { StatusPage } from './records/StatusPage'
import { SettingsPage } from './SettingsPage'
import { StateBand } from './StateBand'
import { TopBar } from './TopBar'

export function Console() {
  const { station, desk } = useHere()
  const { degraded } = useValue(station.stream.status)
  const route = useRoute()
  const help = useValue(desk.help)
  const tone = useTone()
  useKeys(route)

  // A form belongs to the alarm it was opened on.
  const shown = useRef(route.id)
  useEffect(() => {
    if (shown.current !== route.id) {
      const came = shown.current
      shown.current = route.id
      if (came !== undefined) desk.form.set(undefined)
    }
    if (route.page === 'alarms' && route.id !== undefined) desk.cursor.set(route.id)
  }, [desk, route.page, route.id])

  return (
    <div className={`console page-${route.page}${route.id === undefined ? '' : ' with-detail'}${degraded ? ' lost' : ''}`}>
      <Title />
      <TopBar page={route.page} tone={tone} />
      <StateBand />
      <div className="page">
        {route.page === 'alarms' && <Queue open={route.id} />}
        {route.page === 'panels' && <Panels open={route.id} />}
        {route.page === 'alarms' && <AlarmView key={route.id} id={route.id} page={route.page} />}
        {route.page === 'sites' && <SitesPage />}
        {route.page === 'events' && <EventsPage />}
        {route.page === 'users' && <UsersPage />}
        {route.page === 'status' && <StatusPage />}
        {route.page === 'settings' && <SettingsPage />}
      </div>
      {help && <KeysHelp />}
    </div>
  )
}

function useKeys(route: ReturnType<typeof useRoute>) {
  const { station, desk } = useHere()
  const me = useMe()
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return
      const action = actionFor(event)
      if (!action) return
      const covered = document.querySelector('.sheet') !== null
      if (perform(action, { station, desk, me, route, covered })) event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [station, desk, me, route.page, route.id])
}
