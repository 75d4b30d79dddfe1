// Messages that nobody could read, as an administrator gets them read after all.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { type Letter, Letters, type Payload, type Replay, type Which } from '../../api/letters'
import { queries } from '../../api/queries'
import { useWords } from '../../i18n'
import { full } from '../../i18n/format'
import { href, useRoute } from '../../route'
import { Dialog, DialogFoot } from '../../ui/Dialog'
import { Segments } from '../../ui/Field'
import { useHere } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'
import { EmptyState, Page, PageHead } from '../../ui/page'
import { Failure } from '../../ui/parts'
import { Table } from '../../ui/Table'
import { Ask } from './Ask'
import { sentence } from './admin'
import { replayAll } from './replayAll'

/** How often a letter that is under way is asked for its outcome, in milliseconds. */
const askEvery = 1_000

function useLetters(): Letters {
  const { station } = useHere()
  return useMemo(() => new Letters(station.client), [station])
}

const underWay = (letter: Letter) => letter.state === 'replaying'

const refresh = () => queries.invalidateQueries({ queryKey: ['letters'] })

export function LettersPage() {
  const words = useWords()
  const w = words.areas.letters
  const letters = useLetters()
  const { id } = useRoute()
  const [which, setWhich] = useState<Which>('open')
  const [text, setText] = useState('')
  const [replaying, setReplaying] = useState(false)
  const reason = useDeferredValue(text.trim())
  const list = useInfiniteQuery({
    queryKey: ['letters', 'list', which, reason],
    queryFn: ({ signal, pageParam }) => letters.list(which, reason, pageParam || undefined, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.dead_letters.some(underWay)) ? askEvery : false),
  }, queries)
  const rows = list.data?.pages.flatMap((page) => page.dead_letters) ?? []
  const one = useQuery({
    queryKey: ['letters', 'one', id], enabled: id !== undefined,
    queryFn: ({ signal }) => letters.letter(id!, { signal }),
    refetchInterval: (query) => (query.state.data && underWay(query.state.data.dead_letter) ? askEvery : false),
  }, queries)
  const chosen = id === undefined ? undefined : one.data?.dead_letter

  return (
    <Page label={w.title}>
      <PageHead title={w.title} note={list.data && `${rows.length}${list.hasNextPage ? '+' : ''}`}>
        <input type="search" aria-label={w.find} placeholder={w.find} maxLength={200} value={text} onChange={(event) => setText(event.target.value)} />
        <Segments<Which> label={w.state} value={which} onChoose={setWhich} choices={[
          { value: 'open', label: w.open }, { value: 'replayed', label: w.replayed }, { value: 'dismissed', label: w.dismissed }, { value: 'all', label: w.all },
        ]} />
        <Mutating><button type="button" className="button primary" disabled={which !== 'open' || rows.length === 0} onClick={() => setReplaying(true)}>{w.replayAll}</button></Mutating>
      </PageHead>
      <div className="beside">
        <div className="beside-list">
          {list.isError && <Failure text={words.areas.admin.failed} retry={() => void list.refetch()} />}
          {list.isPending && !list.isError && <p className="empty">{words.areas.admin.loading}</p>}
          {list.data && rows.length === 0 && (which === 'open' && !reason ? <EmptyState title={w.none}><p>{w.noneHint}</p></EmptyState> : <EmptyState title={words.areas.admin.nothing} />)}
          {rows.length > 0 && (
            <Table<Letter>
              label={w.title} rows={rows} rowKey={(letter) => letter.id} current={id}
              rowHref={(letter) => href({ page: 'letters', id: letter.id })}
              columns={[
                { key: 'from', head: w.from, cell: (letter) => placeOf(letter) ?? w.unknownPlace },
                { key: 'reason', head: w.reason, only: 'mid', cell: (letter) => <span className="letter-reason">{letter.reason}</span> },
                { key: 'seen', head: w.seen, kind: 'time', only: 'wide', cell: (letter) => full(letter.last_seen_at) },
                { key: 'times', head: w.times, kind: 'number', only: 'wide', cell: (letter) => letter.seen },
                { key: 'state', head: w.state, cell: (letter) => w.states[letter.state] },
              ]}
            />
          )}
          {list.hasNextPage && <p className="more"><button type="button" className="button" onClick={() => void list.fetchNextPage()}>{words.areas.admin.more}</button></p>}
        </div>
        <aside className="beside-detail" aria-label={chosen ? w.number(chosen.id) : w.pick}>
          {id === undefined && <EmptyState title={w.pick} />}
          {one.isError && <Failure text={words.areas.admin.failed} retry={() => void one.refetch()} />}
          {chosen && <LetterDetail key={chosen.id} letter={chosen} />}
        </aside>
      </div>
      {replaying && <ReplayAll reason={reason} onClose={() => setReplaying(false)} />}
    </Page>
  )
}

function placeOf(letter: Letter): string | undefined {
  return [letter.site_name, letter.panel_name].filter(Boolean).join(' · ') || undefined
}

function LetterDetail({ letter }: { letter: Letter }) {
  const words = useWords()
  const w = words.areas.letters
  const letters = useLetters()
  const [asking, setAsking] = useState<'replay' | 'dismiss'>()
  const close = () => setAsking(undefined)
  const facts: [name: string, value: ReactNode][] = [
    [w.state, <b key="state" data-testid="letter-state">{w.states[letter.state]}</b>],
    [w.site, letter.site_id && <a href={href({ page: 'sites', id: letter.site_id })}>{letter.site_name}</a>],
    [w.panel, letter.panel_id && (letter.panel_name ? <a href={href({ page: 'panels', id: letter.panel_id })}>{letter.panel_name}</a> : letter.panel_id)],
    [w.alarm, letter.alarm_id && <a href={href({ page: 'alarms', id: letter.alarm_id })}>{letter.alarm_id}</a>],
    [w.event, letter.event_id && <code>{letter.event_id}</code>],
    [w.firstSeen, full(letter.first_seen_at)],
    [w.lastSeen, full(letter.last_seen_at)],
    [w.times, letter.seen],
    [w.replays, letter.replayed_at && `${letter.replays}, ${w.lastReplay(full(letter.replayed_at), letter.replayed_by ?? '')}`],
    [w.settled, letter.settled_at && [full(letter.settled_at), letter.dismissed_by].filter(Boolean).join(', ')],
    [w.note, letter.note],
    [w.lane, w.lanes[letter.lane]],
    [w.topic, <code key="topic">{letter.topic}</code>],
    [w.key, <code key="key">{letter.key}</code>],
    [w.trace, letter.trace && <code>{letter.trace}</code>],
    [w.size, w.bytes(letter.size)],
  ]
  return (
    <>
      <div className="detail-head">
        <h2>{placeOf(letter) ?? w.unknownPlace}</h2>
        <p className="faint">{w.number(letter.id)}</p>
      </div>
      {letter.state === 'open' && (
        <Mutating>
          <div className="detail-acts">
            <button type="button" className="button" onClick={() => setAsking('replay')}>{w.replay}</button>
            <button type="button" className="button" onClick={() => setAsking('dismiss')}>{w.dismiss}</button>
          </div>
        </Mutating>
      )}
      <section className="detail-part">
        <h3>{w.reason}</h3>
        <p className="letter-reason" lang="en">{letter.reason}</p>
        <dl className="facts">
          {facts.map(([name, value]) => value !== undefined && value !== '' && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      </section>
      <PayloadPart letter={letter} />
      {asking === 'replay' && <Ask title={w.replay} hint={w.replayHint} onClose={close} onDo={() => letters.replay(letter.id).then(refresh)} />}
      {asking === 'dismiss' && <Ask title={w.dismiss} hint={w.dismissHint} withReason onClose={close} onDo={(reason) => letters.dismiss(letter.id, reason).then(refresh)} />}
    </>
  )
}

function PayloadPart({ letter }: { letter: Letter }) {
  const words = useWords()
  const w = words.areas.letters
  const letters = useLetters()
  const [payload, setPayload] = useState<Payload>()
  const [problem, setProblem] = useState<string>()
  const reveal = () => void letters.reveal(letter.id).then(setPayload, (error: unknown) => setProblem(sentence(words, error)))
  return (
    <section className="detail-part">
      <h3>{w.payload}</h3>
      {!payload && (
        <>
          <p className="hint">{w.revealHint}</p>
          <Mutating><button type="button" className="button" onClick={reveal}>{w.reveal}</button></Mutating>
        </>
      )}
      {problem && <p className="problem" role="alert">{problem}</p>}
      {payload?.encoding === 'hex' && <p className="hint">{payload.text ? w.notJson : w.empty}</p>}
      {payload?.text && <pre className="payload" role="region" tabIndex={0} aria-label={w.payload} data-testid="payload">{payload.encoding === 'hex' ? spaced(payload.text) : payload.text}</pre>}
    </section>
  )
}

/** Bytes as people read them: in pairs. */
function spaced(hex: string): string {
  return hex.replaceAll(/(..)(?=.)/g, '$1 ')
}

function ReplayAll({ reason, onClose }: { reason: string; onClose: () => void }) {
  const words = useWords()
  const w = words.areas.letters
  const letters = useLetters()
  const [phase, setPhase] = useState<'asking' | 'running' | 'done'>('asking')
  const [so, setSo] = useState<{ replay: Replay; left: number }>()
  const [problem, setProblem] = useState<string>()
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const begin = () => {
    const abort = new AbortController()
    running.current = abort
    setPhase('running')
    setProblem(undefined)
    replayAll(letters, reason, abort.signal, (replay, left) => setSo({ replay, left }))
      .then(() => setPhase('done'), (error: unknown) => {
        if (abort.signal.aborted) return
        setPhase('asking')
        setProblem(sentence(words, error))
      })
      .finally(() => void refresh())
  }
  return (
    <Dialog title={w.replayAll} onClose={onClose}>
      <p>{w.replayAllHint} {reason && w.onlyReason(reason)}</p>
      {so && (
        <div className="replay-outcome" aria-live="polite" data-testid="replay-outcome">
          <p><b className="num">{w.progress(so.replay.taken, so.left)}</b> {phase === 'done' && w.done}</p>
          <dl className="facts">
            {(['waiting', 'stored', 'known', 'failed'] as const).map((name) => <div key={name}><dt>{w.outcome[name]}</dt><dd className="num">{so.replay[name]}</dd></div>)}
          </dl>
        </div>
      )}
      {problem && <p className="problem" role="alert">{problem}</p>}
      <DialogFoot>
        <button type="button" className="button quiet" onClick={onClose}>{phase === 'done' ? w.close : words.areas.admin.cancel}</button>
        {phase !== 'done' && <Mutating><button type="button" className="button primary" disabled={phase === 'running'} onClick={begin}>{w.replayAll}</button></Mutating>}
      </DialogFoot>
    </Dialog>
  )
}
