// Plays a tone and asks whether it was heard. The answer stays in the header and in what
// this desk says of itself.
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useWords } from '../i18n'
import { full } from '../i18n/format'
import { timers } from '../live/timers'
import { useHere, useValue } from '../ui/hooks'
import { Badge, Key } from '../ui/parts'
import { useAttention, useMyCheck } from './hooks'
import { notificationPermission, type Permission } from './notify'
import type { ToneName } from './tones'

/** The last answer, with a way to give another: for the settings. */
export function SoundCheck() {
  const words = useWords()
  const { check } = words.areas.attention
  const [open, setOpen] = useState(false)
  const last = useMyCheck()
  return (
    <div className="sound-settings">
      <p role="status">{last ? (last.heard ? check.resultHeard(full(last.at)) : check.resultNotHeard(full(last.at))) : check.never}</p>
      {open ? <SoundQuestion onDone={() => setOpen(false)} /> : <button type="button" className="button" onClick={() => setOpen(true)}>{check.title}</button>}
    </div>
  )
}

interface Props {
  /** Whose answer it is; whoever is signed in otherwise. */
  user?: number
  /** Instead of the question, what to call it. */
  question?: string
  /** Called once it is answered, also when the work begins without sound. */
  onDone?: () => void
  /** Says that somebody may begin without sound: at sign-in. */
  begins?: boolean
}

const tonesToHear: ToneName[] = ['p1', 'p2', 'p3', 'lost']

/** The question with its tones. Enter is "I hear it", N is "I do not", S plays again. */
export function SoundQuestion({ user, question, onDone, begins = false }: Props) {
  const { station } = useHere()
  const attention = useAttention()
  const words = useWords()
  const { check } = words.areas.attention
  const session = useValue(station.session)
  const output = useValue(attention.player.output)
  const last = useValue(attention.check)
  const who = user ?? (session.kind === 'in' ? session.user.id : 0)
  const [played, setPlayed] = useState<'playing' | 'yes' | 'no'>('playing')
  const [refused, setRefused] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const yes = useRef<HTMLButtonElement>(null)
  const timer = useRef(() => {})

  const play = (tone: ToneName, times: number) => {
    timer.current()
    setPlayed('playing')
    void attention.sample(tone, times).then((sounded) => {
      // Nobody can have heard what has hardly begun.
      timer.current = timers.after(sounded ? 500 : 0, () => setPlayed(sounded ? 'yes' : 'no'))
    })
  }
  useEffect(() => {
    box.current?.focus()
    play('p1', 2)
    return () => timer.current()
  }, [])
  useEffect(() => {
    // What had the focus may just have gone dead: the keys go on here.
    if (played === 'yes') yes.current?.focus()
    else if (!box.current?.contains(document.activeElement) || document.activeElement?.matches(':disabled')) box.current?.focus()
  }, [played])

  const answer = (heard: boolean) => {
    attention.answer(who, heard)
    setRefused(!heard)
    if (heard || !begins) onDone?.()
  }

  const silent = played === 'no' || output !== 'running'
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.nativeEvent.isComposing) return
    const key = event.key.toLowerCase()
    // A key that is still held down from signing in is no answer.
    if (event.repeat) event.preventDefault()
    else if (key === 'n' && played !== 'playing') answer(false)
    else if (key === 's') play('p1', 2)
    else if (key === 'enter' && event.target === box.current && played === 'yes' && !silent) answer(true)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const mine = last?.user === who ? last : undefined
  return (
    <div className="sound-check" ref={box} tabIndex={-1} onKeyDown={onKeyDown} data-testid="sound-check" data-played={played}>
      <p className="sound-question">{question ?? check.question}</p>
      <p role="status" className={silent && played !== 'playing' ? 'problem' : 'faint'}>
        {silent && played !== 'playing' ? check.silent : refused ? check.help : mine ? (mine.heard ? check.resultHeard(full(mine.at)) : check.resultNotHeard(full(mine.at))) : check.playing}
      </p>
      <div className="sound-answers">
        <button type="button" ref={yes} className="button primary large" disabled={played !== 'yes' || silent} data-answer="heard" onClick={() => answer(true)}>
          {check.heard} <Key>Enter</Key>
        </button>
        {refused && begins ? (
          <button type="button" className="button large" data-answer="without" onClick={onDone}>{check.without}</button>
        ) : (
          <button type="button" className="button large" disabled={played === 'playing'} data-answer="not-heard" aria-keyshortcuts="N" onClick={() => answer(false)}>
            {check.notHeard} <Key>N</Key>
          </button>
        )}
        <button type="button" className="button large quiet" aria-keyshortcuts="S" onClick={() => play('p1', 2)}>{check.again} <Key>S</Key></button>
      </div>
      <ul className="sound-tones">
        {tonesToHear.map((tone, i) => (
          <li key={tone}>
            {tone === 'lost' ? <span className="tag dashed">{check.lost}</span> : <Badge priority={i + 1} />}
            <Wave tone={tone} />
            <span className="faint">{check.tones[tone]}</span>
            <button type="button" className="button" aria-label={`${check.play}: ${tone === 'lost' ? check.lost : `P${i + 1}`}`} onClick={() => play(tone, tone === 'p1' ? 2 : 1)}>
              {check.play}
            </button>
          </li>
        ))}
      </ul>
      {!timers.steady && <p className="faint">{check.unsteady}</p>}
    </div>
  )
}

/** Some seconds of a tone as bars: what comes, and the silence between. */
const waves: Record<ToneName, number[]> = {
  p1: [4, 8, 4, 8, 4, 8, 4, 8, 4, 8, 4, 8, 4, 8, 4, 8],
  p2: [6, 6, 1, 1, 1, 1, 1, 6, 6, 1, 1, 1, 1, 1, 6, 6],
  p3: [5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  lost: [8, 8, 8, 1, 6, 6, 6, 1, 4, 4, 4, 1, 1, 1, 1, 1],
}

function Wave({ tone }: { tone: ToneName }) {
  return (
    <svg className={`wave ${tone}`} viewBox="0 0 95 18" width="95" height="18" aria-hidden="true" focusable="false">
      {waves[tone].map((height, i) => <rect key={i} x={i * 6} y={9 - height} width="3" height={height * 2} rx="1" />)}
    </svg>
  )
}

/** The one place that asks for notifications of the system: the settings. */
export function NotificationsChoice() {
  const { notifications } = useWords().areas.attention
  const [permission, setPermission] = useState<Permission>(notificationPermission())
  const ask = () => void Notification.requestPermission().then(() => setPermission(notificationPermission()))
  return (
    <div className="notifications-choice">
      <p><b>{notifications.title}</b> <span className="faint" role="status">{notifications.states[permission]}</span></p>
      <p className="faint">{notifications.hint}</p>
      {permission === 'default' && <button type="button" className="button" onClick={ask}>{notifications.ask}</button>}
    </div>
  )
}
