// The card of a site: facts, whom to call, which panels guard it.
import { useState } from 'react'
import type { KeptPanel, SiteDetail } from '../../api/admin'
import { queries } from '../../api/queries'
import { useWords, wordFor } from '../../i18n'
import { full } from '../../i18n/format'
import { leads } from '../../live/rules'
import { href } from '../../route'
import { useMe } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'
import { Ask } from './Ask'
import { Contacts } from './Contacts'
import { PanelForm } from './PanelForm'
import { SiteForm } from './SiteForm'
import { useAdmin } from './admin'

const refresh = () => queries.invalidateQueries({ queryKey: ['sites'] })

export function SiteCard({ detail: { site, panels, contacts } }: { detail: SiteDetail }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const me = useMe()
  const [asking, setAsking] = useState<'edit' | 'retire'>()
  const keeps = leads(me) && !site.own && !site.retired_at
  const facts: [string, string | undefined][] = [
    [w.sites.risk, w.sites.risks[site.risk]],
    [w.sites.mode, w.sites.modes[site.mode]],
    [w.sites.contract, site.contract],
    [w.sites.district, site.district],
    [w.sites.provider, site.provider],
    [w.sites.notes, site.notes],
  ]
  return (
    <>
      <div className="detail-head">
        <h2>{site.name} {site.retired_at && <span className="tag">{w.sites.retired} {full(site.retired_at)}</span>}</h2>
        <p className="faint">{[site.address, site.city].filter(Boolean).join(', ')}</p>
      </div>
      <div className="detail-acts">
        <a className="button" href={href({ page: 'events', query: { site: String(site.id) } })}>{w.sites.events}</a>
        {keeps && (
          <Mutating>
            <button type="button" className="button" onClick={() => setAsking('edit')}>{w.edit}</button>
            <button type="button" className="button quiet" onClick={() => setAsking('retire')}>{w.sites.retire}</button>
          </Mutating>
        )}
      </div>
      <section className="detail-part">
        <h3>{w.sites.facts}</h3>
        <dl className="facts">
          {facts.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      </section>
      {!site.own && <Contacts site={site.id} contacts={contacts} keeps={keeps} />}
      {!site.own && <Panels site={site.id} panels={panels} keeps={me.role === 'admin' && !site.retired_at} />}
      {asking === 'edit' && <SiteForm site={site} onClose={() => setAsking(undefined)} onSaved={() => undefined} />}
      {asking === 'retire' && (
        <Ask title={w.sites.retire} hint={site.name} withReason onClose={() => setAsking(undefined)} onDo={(reason) => admin.retireSite(site.id, reason).then(refresh)} />
      )}
    </>
  )
}

function Panels({ site, panels, keeps }: { site: number; panels: KeptPanel[]; keeps: boolean }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [asking, setAsking] = useState<{ what: 'add' } | { what: 'edit' | 'retire' | 'replace'; panel: KeptPanel }>()
  const close = () => setAsking(undefined)
  return (
    <section className="detail-part">
      <h3>{w.sites.panels}</h3>
      {panels.length === 0 && <p className="faint">{w.panels.none}</p>}
      <ul className="plain">
        {panels.map((panel) => (
          <li key={panel.id} className="line">
            <span className="grow">
              {panel.retired_at ? panel.name : <a href={href({ page: 'panels', id: panel.id })} title={w.panels.open}>{panel.name}</a>}{' '}
              <span className="faint num">{panel.host}:{panel.port}{panel.model && ` · ${panel.model}`}</span>{' '}
              {panel.retired_at && <span className="tag">{w.panels.retired}</span>}
              {!panel.retired_at && !panel.enabled && <span className="tag">{w.panels.disabled}</span>}
              {!panel.retired_at && panel.enabled && panel.state && panel.state.link !== 'up' && <span className="tag">{wordFor(words.panels.link, panel.state.link)}</span>}
            </span>
            {keeps && !panel.retired_at && (
              <Mutating>
                <button type="button" className="button quiet" aria-label={`${w.edit}: ${panel.name}`} onClick={() => setAsking({ what: 'edit', panel })}>{w.edit}</button>
                <button type="button" className="button quiet" aria-label={`${w.panels.replace}: ${panel.name}`} onClick={() => setAsking({ what: 'replace', panel })}>{w.panels.replace}</button>
                <button type="button" className="button quiet" aria-label={`${w.panels.retire}: ${panel.name}`} onClick={() => setAsking({ what: 'retire', panel })}>{w.panels.retire}</button>
              </Mutating>
            )}
          </li>
        ))}
      </ul>
      {keeps && <Mutating><button type="button" className="button" onClick={() => setAsking({ what: 'add' })}>{w.panels.add}</button></Mutating>}
      {asking?.what === 'add' && <PanelForm kind="add" site={site} onClose={close} />}
      {asking?.what === 'edit' && <PanelForm kind="edit" panel={asking.panel} site={site} onClose={close} />}
      {asking?.what === 'replace' && <PanelForm kind="replace" panel={asking.panel} site={site} onClose={close} />}
      {asking?.what === 'retire' && (
        <Ask
          title={w.panels.retire} hint={`${asking.panel.name}. ${w.panels.retireHint}`} withReason onClose={close}
          onDo={(reason) => admin.retirePanel(asking.panel.id, reason).then(refresh)}
        />
      )}
    </section>
  )
}
