import { type FormEvent, useState } from 'react'
import { type KeptSite, newerVersion, type SiteBody } from '../../api/admin'
import { queries } from '../../api/queries'
import type { Site } from '../../api/types'
import { useWords } from '../../i18n'
import { Dialog } from '../../ui/Dialog'
import { Select, TextArea, TextField } from '../../ui/Field'
import { Foot } from './UsersPage'
import { sentence, useAdmin } from './admin'

type Draft = Record<'name' | 'address' | 'city' | 'district' | 'provider' | 'contract' | 'notes' | 'latitude' | 'longitude', string> & { risk: Site['risk'] }

function draftOf(site: KeptSite | undefined): Draft {
  return {
    name: site?.name ?? '', address: site?.address ?? '', city: site?.city ?? '', district: site?.district ?? '', provider: site?.provider ?? '',
    contract: site?.contract ?? '', notes: site?.notes ?? '', risk: site?.risk ?? 'normal',
    latitude: site?.latitude?.toString() ?? '', longitude: site?.longitude?.toString() ?? '',
  }
}

/** A coordinate as people write it, with a comma or a point; NaN when it is none. */
export function coordinate(text: string): number | undefined {
  const plain = text.trim().replace(',', '.')
  return plain === '' ? undefined : Number(plain)
}

export function SiteForm({ site, onClose, onSaved }: { site?: KeptSite; onClose: () => void; onSaved: (site: KeptSite) => void }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [draft, setDraft] = useState(() => draftOf(site))
  const [version, setVersion] = useState(site?.version)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const set = (name: keyof Draft) => (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value })
  const latitude = coordinate(draft.latitude)
  const longitude = coordinate(draft.longitude)
  const wrong = (value: number | undefined, most: number) => (value !== undefined && !(Math.abs(value) <= most) ? w.sites.coordinate : undefined)
  const invalid = wrong(latitude, 90) ?? wrong(longitude, 180)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (invalid) return
    setBusy(true)
    const { latitude: _1, longitude: _2, ...texts } = draft
    const body: SiteBody = { ...texts, name: draft.name.trim(), ...(latitude !== undefined && { latitude }), ...(longitude !== undefined && { longitude }) }
    const saving = site && version !== undefined ? admin.editSite(site.id, version, body) : admin.addSite(body)
    saving.then(
      async ({ site: saved }) => {
        await queries.invalidateQueries({ queryKey: ['sites'] })
        onClose()
        onSaved(saved)
      },
      (error: unknown) => {
        const newer = newerVersion<KeptSite>(error, 'site')
        if (newer) setVersion(newer.version)
        setProblem(newer ? w.newer(`${newer.name}, ${newer.address}, ${newer.city}`) : sentence(words, error))
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={site ? w.sites.edit : w.sites.add} size="wide" onClose={onClose}>
      <form onSubmit={submit}>
        <div className="fields">
          <TextField label={w.sites.name} value={draft.name} required maxLength={200} onChange={set('name')} />
          <TextField label={w.sites.address} value={draft.address} maxLength={200} onChange={set('address')} />
          <TextField label={w.sites.city} value={draft.city} maxLength={200} onChange={set('city')} />
          <TextField label={w.sites.district} value={draft.district} maxLength={200} onChange={set('district')} />
          <TextField label={w.sites.provider} value={draft.provider} maxLength={200} onChange={set('provider')} />
          <Select<Site['risk']> label={w.sites.risk} value={draft.risk} onChoose={(risk) => setDraft({ ...draft, risk })} choices={(['low', 'normal', 'high'] as const).map((risk) => ({ value: risk, label: w.sites.risks[risk] }))} />
          <TextField label={w.sites.latitude} value={draft.latitude} inputMode="decimal" error={wrong(latitude, 90)} onChange={set('latitude')} />
          <TextField label={w.sites.longitude} value={draft.longitude} inputMode="decimal" error={wrong(longitude, 180)} onChange={set('longitude')} />
        </div>
        <TextField label={w.sites.contract} hint={w.sites.contractHint} value={draft.contract} maxLength={500} onChange={set('contract')} />
        <TextArea label={w.sites.notes} hint={w.sites.notesHint} value={draft.notes} maxLength={4000} rows={4} onChange={set('notes')} />
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Foot save={w.save} busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}
