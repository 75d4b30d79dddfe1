import './styles/tokens.css'
import './styles/base.css'
import './styles/kit.css'
import './styles/bands.css'
import './styles/queue.css'
import './styles/alarm.css'
import './styles/panels.css'
import './styles/records.css'
import './styles/admin.css'
import './styles/attention.css'
import { createRoot } from 'react-dom/client'
import { Desk } from './live/desk'
import { Station } from './live/station'
import { Boundary, WholeBroken } from './shell/Boundary'
import { followPrefs } from './shell/prefs'
import { update } from './shell/update'
import { HereContext } from './ui/hooks'
import { App } from './views/App'

followPrefs()
const station = new Station()
void station.check()
void update.start()

createRoot(document.getElementById('root')!).render(
  <HereContext value={{ station, desk: new Desk() }}>
    <Boundary broken={() => <WholeBroken />}><App /></Boundary>
  </HereContext>,
)
