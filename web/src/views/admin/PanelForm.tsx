// A panel as it is added, changed or replaced; what its module says is seen before saving.
import { type FormEvent, useState } from 'react'
import { type KeptPanel, newerVersion, type Probe } from '../../api/admin'
import { queries } from '../../api/queries'
import { useWords } from '../../i18n'
import { Dialog } from '../../ui/Dialog'
import { Check, TextField } from '../../ui/Field'
import { Mutating } from '../../ui/Mutating'
import { Foot } from './UsersPage'
import { sentence, useAdmin } from './admin'

interface Props {
  kind: 'add' | 'edit' | 'replace'
  site: number
  panel?: KeptPanel
  onClose: () => void
}

const usualPort = '10004'

export function PanelForm({ kind, site, panel, onClose }: Props) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [version, setVersion] = useState(panel?.version ?? 0)
  const [name, setName] = useState(panel?.name ?? '')
  const [host, setHost] = useState(kind === 'replace' ? '' : (panel?.host ?? ''))
  const [port, setPort] = useState(String(panel?.port ?? usualPort))
  const [code, setCode] = useState('')
  const wasEncrypted = kind === 'edit' && panel?.encrypted === true
  const [encrypted, setEncrypted] = useState(wasEncrypted)
  const [key, setKey] = useState('')
  const [grace, setGrace] = useState(String(panel?.link_grace_s ?? 30))
  const [enabled, setEnabled] = useState(panel?.enabled ?? true)
  const [reason, setReason] = useState('')
  const [probe, setProbe] = useState<Probe>()
  const [probing, setProbing] = useState(false)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const title = { add: w.panels.add, edit: w.panels.edit, replace: w.panels.replace }[kind]
  const number = Number(port)
  const badPort = Number.isInteger(number) && number >= 1 && number <= 65535 ? undefined : w.panels.number
  const seconds = Number(grace)
  const badGrace = Number.isInteger(seconds) && seconds >= 5 ? undefined : w.panels.number

  const badKey = /^[ -~]{0,12}$/.test(key) ? undefined : w.panels.badKey
  const withKey = encrypted && key ? { key } : {}
  // Of a key that is kept nothing is sent; an empty one takes it away.
  const keyChange = wasEncrypted && !encrypted ? { key: '' } : withKey
  // A kept key is known to the server alone, so that it can't be tried from here.
  const untried = encrypted && !key

  const look = () => {
    setProbing(true)
    setProbe(undefined)
    setProblem(undefined)
    admin.probe({ host: host.trim(), port: number, code, ...withKey }).then(setProbe, (error: unknown) => setProblem(sentence(words, error))).finally(() => setProbing(false))
  }

  const save = (): Promise<unknown> => {
    const at = { host: host.trim(), port: number }
    if (kind === 'replace') return admin.replacePanel(panel!.id, { ...at, code, ...withKey, name: name.trim(), reason: reason.trim() })
    const body = { ...at, name: name.trim(), link_grace_s: seconds }
    return kind === 'add' ? admin.addPanel(site, { ...body, code, ...withKey }) : admin.editPanel(panel!.id, version, { ...body, ...(code && { code }), ...keyChange, enabled })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (badPort || badGrace || badKey) return
    setBusy(true)
    save().then(
      async () => {
        await queries.invalidateQueries({ queryKey: ['sites'] })
        onClose()
      },
      (error: unknown) => {
        const newer = newerVersion<KeptPanel>(error, 'panel')
        if (newer) setVersion(newer.version)
        setProblem(newer ? w.newer(`${newer.name}, ${newer.host}:${newer.port}`) : sentence(words, error))
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={title} size="wide" onClose={onClose}>
      <form onSubmit={submit} autoComplete="off">
        {kind === 'replace' && <p className="hint">{w.panels.replaceHint}</p>}
        <div className="fields">
          <TextField label={w.panels.name} value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
          <TextField label={w.panels.host} value={host} required maxLength={253} spellCheck={false} onChange={(event) => setHost(event.target.value)} />
          <TextField label={w.panels.port} value={port} required inputMode="numeric" error={badPort} onChange={(event) => setPort(event.target.value)} />
          <TextField
            label={w.panels.code} hint={kind === 'edit' ? w.panels.codeKept : w.panels.codeHint} value={code} type="password" autoComplete="off"
            required={kind !== 'edit'} maxLength={8} inputMode="numeric" onChange={(event) => setCode(event.target.value)}
          />
          <Check label={w.panels.encrypted} checked={encrypted} onChange={(event) => setEncrypted(event.target.checked)} />
          {encrypted && (
            <TextField
              label={w.panels.key} hint={wasEncrypted ? w.panels.keyKept : w.panels.keyHint} error={badKey} value={key} type="password" autoComplete="off"
              required={!wasEncrypted} maxLength={12} spellCheck={false} onChange={(event) => setKey(event.target.value)}
            />
          )}
          {kind !== 'replace' && <TextField label={w.panels.grace} value={grace} required inputMode="numeric" error={badGrace} onChange={(event) => setGrace(event.target.value)} />}
          {kind === 'edit' && <Check label={w.panels.enabled} checked={enabled} onChange={(event) => setEnabled(event.target.checked)} />}
          {kind === 'replace' && <TextField label={w.reason} hint={w.reasonHint} value={reason} required maxLength={500} onChange={(event) => setReason(event.target.value)} />}
        </div>
        <div className="probe" aria-live="polite">
          <Mutating>
            <button type="button" className="button" disabled={probing || !host.trim() || !code || untried || badPort !== undefined || badKey !== undefined} onClick={look}>{probing ? w.panels.probing : w.panels.probe}</button>
          </Mutating>
          {probe ? <Found probe={probe} /> : kind !== 'edit' && <p className="hint">{w.panels.unprobed}</p>}
        </div>
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Foot save={kind === 'add' ? w.add : w.save} busy={busy || probing} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function Found({ probe }: { probe: Probe }) {
  const words = useWords()
  const w = words.areas.admin.panels
  const { partitions, zones, outputs } = probe.counts
  const numbered: Record<string, (n: number) => string> = { partition: words.alarm.partition, zone: words.alarm.zone, output: words.areas.panels.output }
  return (
    <div className="probe-found">
      <p><b>{w.probed(probe.model, probe.firmware)}</b> · {w.counts(partitions, zones, outputs)}{probe.clock_offset_s !== undefined && ` · ${w.clock(`${probe.clock_offset_s > 0 ? '+' : ''}${probe.clock_offset_s} s`)}`}</p>
      <details>
        <summary>{w.names}</summary>
        <ul className="names">
          {probe.objects.map((object) => <li key={`${object.kind}${object.number}`}><span className="num faint">{numbered[object.kind]?.(object.number) ?? object.number}</span> {object.name}</li>)}
        </ul>
      </details>
    </div>
  )
}
