// The part of the header that always tells whether this desk can sound.
import { useState } from 'react'
import { useWords } from '../i18n'
import { short } from '../i18n/format'
import { Dialog } from '../ui/Dialog'
import { useHere, useNow, useValue } from '../ui/hooks'
import { useAttention, useMyCheck } from './hooks'
import { SoundQuestion } from './SoundCheck'
import { Speaker } from './Speaker'

export function SoundState() {
  const words = useWords()
  const [checking, setChecking] = useState(false)
  return (
    <span className="sound-state">
      <LossAcknowledge />
      <Slowed />
      <State check={() => setChecking(true)} />
      {checking && (
        <Dialog title={words.areas.attention.check.title} onClose={() => setChecking(false)}>
          <SoundQuestion onDone={() => setChecking(false)} />
        </Dialog>
      )}
    </span>
  )
}

function State({ check }: { check: () => void }) {
  const attention = useAttention()
  const words = useWords()
  const { sound } = words.areas.attention
  const output = useValue(attention.player.output)
  const speaker = useValue(attention.voice.speaker)
  const mute = useValue(attention.mute)
  const answer = useMyCheck()
  const now = useNow()

  if (output !== 'running' && speaker !== 'other') {
    const missing = output === 'no-device'
    return (
      <span role="alert">
        <button type="button" className="sound-alarm" data-sound="off" title={sound.offHint} onClick={attention.player.unlock}>
          <Speaker off />{missing ? sound.missing : sound.off}
        </button>
      </span>
    )
  }
  if (mute) {
    const seconds = Math.max(0, Math.ceil((mute.until - performance.now()) / 1000))
    return (
      <button type="button" className="sound-chip muted" data-sound="muted" title={sound.mutedHint} onClick={() => attention.unmute()}>
        <Speaker off />{sound.muted(seconds)}
      </button>
    )
  }
  if (answer && !answer.heard) {
    return <button type="button" className="sound-alarm" data-sound="not-heard" title={sound.testHint} onClick={check}><Speaker off />{sound.notHeard}</button>
  }
  const said = speaker === 'other' ? sound.elsewhere : answer ? sound.tested(short(answer.at, now).replace(/(\d\d:\d\d):\d\d$/, '$1')) : sound.untested
  return (
    <button
      type="button" className="sound-chip" data-sound={speaker === 'other' ? 'elsewhere' : 'on'}
      title={speaker === 'other' ? sound.elsewhereHint : sound.testHint} onClick={check}
    >
      <Speaker /><span className="unseen">{sound.on}</span><span className="num">{said}</span>
    </button>
  )
}

/** Ends the tone of a lost link; there only while it sounds. */
export function LossAcknowledge() {
  const { station } = useHere()
  const attention = useAttention()
  const { sound } = useWords().areas.attention
  const { degraded } = useValue(station.stream.status)
  const seen = useValue(attention.lossSeen)
  if (!degraded || seen) return null
  return <button type="button" className="sound-chip muted" data-testid="loss-known" title={sound.lossHint} onClick={() => attention.acknowledgeLoss()}>{sound.lossKnown}</button>
}

/** The browser held this window back while it was hidden: what it promises is not certain. */
function Slowed() {
  const attention = useAttention()
  const { sound } = useWords().areas.attention
  const gap = useValue(attention.slowed)
  if (gap === 0) return null
  return (
    <button type="button" className="sound-chip warn" role="status" title={sound.slowedHint} onClick={() => attention.slowed.set(0)}>
      {sound.slowed(Math.round(gap / 1000))}
    </button>
  )
}
