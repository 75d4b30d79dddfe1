// A question before something that is not taken back, with the reason that the log keeps.
import { type FormEvent, type ReactNode, useState } from 'react'
import { useWords } from '../../i18n'
import { Dialog, DialogFoot } from '../../ui/Dialog'
import { TextField } from '../../ui/Field'
import { Mutating } from '../../ui/Mutating'
import { sentence } from './admin'

interface Props {
  title: string
  hint: ReactNode
  /** Without one no reason is asked for. */
  withReason?: boolean
  onDo: (reason: string) => Promise<unknown>
  onClose: () => void
}

export function Ask({ title, hint, withReason, onDo, onClose }: Props) {
  const words = useWords()
  const w = words.areas.admin
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    onDo(reason.trim()).then(onClose, (error: unknown) => {
      setProblem(sentence(words, error))
      setBusy(false)
    })
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <p>{hint}</p>
        {withReason && (
          <TextField label={w.reason} hint={w.reasonHint} value={reason} required maxLength={500} onChange={(event) => setReason(event.target.value)} />
        )}
        {problem && <p className="problem" role="alert">{problem}</p>}
        <DialogFoot>
          <button type="button" className="button quiet" onClick={onClose}>{w.cancel}</button>
          <Mutating><button type="submit" className="button primary" disabled={busy}>{title}</button></Mutating>
        </DialogFoot>
      </form>
    </Dialog>
  )
}
