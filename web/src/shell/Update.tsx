// A quiet word that there is a new client. It is loaded only when the operator says so,
// and never while this person has an alarm in work or text that was not sent.
import { useEffect, useState } from 'react'
import { useWords } from '../i18n'
import { isMine } from '../live/rules'
import { href } from '../route'
import { Dialog, DialogFoot } from '../ui/Dialog'
import { useHere, useLive, useMe, useQueue, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Key } from '../ui/parts'
import { update } from './update'

export function UpdateButton() {
  const words = useWords()
  const ready = useValue(update.ready)
  const live = useLive()
  const [open, setOpen] = useState(false)
  // A server that comes back may be a newer one.
  useEffect(() => {
    if (live) update.look()
  }, [live])
  if (!ready) return null
  return (
    <>
      <button type="button" className="ticker-update" onClick={() => setOpen(true)} data-testid="update">{words.areas.shell.update.ready}</button>
      {open && <UpdateDialog onClose={() => setOpen(false)} />}
    </>
  )
}

function UpdateDialog({ onClose }: { onClose: () => void }) {
  const { station } = useHere()
  const me = useMe()
  const words = useWords()
  const queue = useQueue()
  const drafts = useValue(station.steps.drafts)
  const text = words.areas.shell.update
  const held = queue.filter((alarm) => isMine(alarm, me) && (alarm.state === 'claimed' || alarm.state === 'acknowledged'))
  const free = held.length === 0 && drafts.size === 0
  return (
    <Dialog title={text.title} onClose={onClose}>
      <p>{text.what}</p>
      {held.length > 0 && (
        <>
          <p className="notice"><b>{text.held(held.length)}</b> {text.heldWhy}</p>
          <ul className="update-held">
            {held.slice(0, 8).map((alarm) => <li key={alarm.id}><a href={href({ page: 'alarms', id: alarm.id })} onClick={onClose}>{words.alarm.number(alarm.id)}, {alarm.site.name}</a></li>)}
          </ul>
        </>
      )}
      {drafts.size > 0 && <p className="notice">{text.drafts}</p>}
      <DialogFoot>
        <button type="button" className="button quiet" onClick={onClose}>{text.later} <Key>Esc</Key></button>
        <Mutating>
          <button type="button" className="button primary" disabled={!free} onClick={() => update.load()}>{text.load}</button>
        </Mutating>
      </DialogFoot>
    </Dialog>
  )
}
