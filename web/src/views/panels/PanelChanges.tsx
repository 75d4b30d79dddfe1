// What changed on a panel while it was watched, newest first.
import { useCallback } from 'react'
import { panelChanges } from '../../api/panels'
import type { Schemas } from '../../api/schema'
import { useWords } from '../../i18n'
import { full, short } from '../../i18n/format'
import { useHere, useNow } from '../../ui/hooks'
import { changeText } from './change'
import { AsOf, More } from './PanelHistory'
import { usePaged } from './paged'

type Row = Omit<Schemas.Change, 'id'> & { id: string }

export function PanelChanges({ id }: { id: number }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const paged = usePaged<Row>(
    useCallback(
      async (cursor, signal) => {
        const page = await panelChanges(station.client, id, cursor, { signal })
        return { rows: page.changes.map((change) => ({ ...change, id: String(change.id) })), next: page.next_cursor }
      },
      [station, id],
    ),
  )
  return (
    <section className="section" data-testid="panel-changes">
      <AsOf paged={paged} now={now} />
      <ol className="orders">
        {paged.rows.map((change) => {
          const text = changeText(words, change)
          return (
            <li key={change.id} className="order" data-change={change.what} data-grave={change.grave ?? false}>
              <time className="num faint" dateTime={change.at} title={full(change.at)}>{short(change.at, now)}</time>
              <div>
                <p><b>{text.what}</b> {text.where}</p>
                {text.detail && <p>{text.detail}</p>}
                {change.grave && <p className="reason">{words.areas.panels.changes.grave}</p>}
              </div>
            </li>
          )
        })}
        {paged.state === 'ready' && paged.rows.length === 0 && <li className="faint">{words.areas.panels.changes.none}</li>}
      </ol>
      <More paged={paged} />
    </section>
  )
}
