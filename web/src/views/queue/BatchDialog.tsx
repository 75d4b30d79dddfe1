// The confirmation of a step on many alarms. It names every one of them: what is not
// wanted is left out by its tick.
import { useRef, useState } from 'react'
import type { Alarm, Outcome } from '../../api/types'
import { useWords, wordFor } from '../../i18n'
import { age } from '../../i18n/format'
import { isSend } from '../../keys/keymap'
import { uuid } from '../../live/uuid'
import { Dialog, DialogFoot } from '../../ui/Dialog'
import { Check, TextArea } from '../../ui/Field'
import { useHere, useNow } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'
import { Key } from '../../ui/parts'
import { kindText } from '../alarm/text'
import { Outcomes } from '../forms'
import { batchMost, type BatchOutcome, type BatchWork, workBatch } from './batchwork'

type Progress = { kind: 'asking' } | { kind: 'sending' } | { kind: 'failed' } | { kind: 'done'; outcome: BatchOutcome }

export function BatchDialog({ kind, work, onClose }: { kind: string; work: BatchWork; onClose: () => void }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const text = words.areas.desk.batch
  // What is confirmed is what was read, even when others come meanwhile.
  const [named] = useState(work)
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const [outcome, setOutcome] = useState<Outcome | ''>('')
  const [note, setNote] = useState('')
  const [progress, setProgress] = useState<Progress>({ kind: 'asking' })
  const attempt = useRef<{ id: string; of: string }>(undefined)

  const { act } = named
  const all = named.alarms.slice(0, batchMost)
  const chosen = all.filter((alarm) => !left.has(alarm.id))
  const counted = words.areas.desk.queue.alarms(chosen.length)
  const asksOutcome = act === 'resolve'
  const ready = chosen.length > 0 && (!asksOutcome || (outcome !== '' && note.trim() !== ''))
  const sending = progress.kind === 'sending'

  const send = async () => {
    if (!ready || sending) return
    const more = asksOutcome && outcome !== '' ? { outcome, text: note.trim() } : {}
    // The same wish sent again must do nothing twice.
    const of = JSON.stringify([chosen.map((alarm) => alarm.id), more])
    if (attempt.current?.of !== of) attempt.current = { id: uuid(), of }
    setProgress({ kind: 'sending' })
    try {
      const done = await workBatch(station.client, { act, alarms: chosen }, more, attempt.current.id, (alarm) => station.learn(alarm))
      if (done.refused.length === 0) onClose()
      else setProgress({ kind: 'done', outcome: done })
    } catch {
      setProgress({ kind: 'failed' })
    }
  }
  const tick = (alarm: Alarm) => {
    const next = new Set(left)
    if (!next.delete(alarm.id)) next.add(alarm.id)
    setLeft(next)
  }

  if (progress.kind === 'done') return <Refused kind={kind} work={named} outcome={progress.outcome} onClose={onClose} />
  return (
    <Dialog title={text.title[act](kindText(words, kind))} onClose={onClose} size="wide">
      <form
        className="batch" data-testid="batch" onKeyDown={(event) => isSend(event.nativeEvent) && void send()}
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <p>{text.says[act](counted)}</p>
        {named.alarms.length > batchMost && <p className="faint">{text.limit(batchMost)}</p>}
        <ul className="batch-list" aria-label={text.list} tabIndex={0}>
          {all.map((alarm) => (
            <li key={alarm.id}>
              <Check
                checked={!left.has(alarm.id)} disabled={sending} onChange={() => tick(alarm)}
                label={<><span className="num faint batch-age">{age(words, now - Date.parse(alarm.opened_at))}</span> <b>{alarm.site.name}</b> <span className="faint">{[alarm.site.address, alarm.site.city].filter(Boolean).join(', ')}</span></>}
              />
            </li>
          ))}
        </ul>
        {asksOutcome && (
          <>
            <Outcomes value={outcome} onChoose={setOutcome} />
            <TextArea label={words.resolveForm.text} placeholder={words.resolveForm.placeholder} maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)} />
          </>
        )}
        {progress.kind === 'failed' && <p className="problem" role="alert">{text.failed}</p>}
        {chosen.length === 0 ? <p className="faint">{text.none}</p> : !ready && <p className="faint">{words.resolveForm.missing}</p>}
        <DialogFoot>
          <button type="button" className="button quiet" onClick={onClose}>{text.cancel} <Key>Esc</Key></button>
          <Mutating>
            <button type="submit" className={sending ? 'button pending' : 'button primary'} disabled={!ready || sending}>
              {sending ? words.link.sending : text.submit[act](chosen.length)} <Key>Ctrl+Enter</Key>
            </button>
          </Mutating>
        </DialogFoot>
      </form>
    </Dialog>
  )
}

/** What was done, and what was not and why. */
function Refused({ kind, work, outcome, onClose }: { kind: string; work: BatchWork; outcome: BatchOutcome; onClose: () => void }) {
  const words = useWords()
  const { batch, queue, refusals } = words.areas.desk
  const names = new Map(work.alarms.map((alarm) => [alarm.id, alarm.site.name]))
  return (
    <Dialog title={batch.title[work.act](kindText(words, kind))} onClose={onClose} size="wide">
      <div className="batch" role="status" data-testid="batch-refused">
        <p>{batch.done(queue.alarms(outcome.done.length))}</p>
        <p><b>{batch.refused(queue.alarms(outcome.refused.length))}</b></p>
        <ul className="batch-list">
          {outcome.refused.map(({ id, code }) => (
            <li key={id}><b>{names.get(id)}</b> <span className="faint">{words.alarm.number(id)}: {wordFor(refusals, code)}</span></li>
          ))}
        </ul>
      </div>
      <DialogFoot><button type="button" className="button" onClick={onClose}>{batch.finish} <Key>Esc</Key></button></DialogFoot>
    </Dialog>
  )
}
