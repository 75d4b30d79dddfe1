import { useWords } from '../i18n'
import { useHere } from '../ui/hooks'
import { Dialog } from '../ui/Dialog'
import { Key } from '../ui/parts'

export function KeysHelp() {
  const { desk } = useHere()
  const words = useWords()
  const { rows } = words.keys
  const table: [string[], string][] = [
    [[words.keys.space], rows.claimNext],
    [['J', 'K', '↓', '↑'], rows.move],
    [['Enter'], rows.open],
    [['C'], rows.claim],
    [['A'], rows.ack],
    [['R'], rows.resolve],
    [['Z'], rows.close],
    [['X'], rows.release],
    [['T'], rows.takeover],
    [['N'], rows.note],
    [['Ctrl', 'Enter'], rows.send],
    [['Home'], rows.home],
    [['Esc'], rows.back],
    [['?'], rows.help],
  ]
  const close = () => desk.help.set(false)
  return (
    <Dialog title={words.keys.title} onClose={close}>
      <dl className="keys">
        {table.map(([keys, text]) => (
          <div key={text}>
            <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <div className="sheet-foot">
        <button type="button" className="button" onClick={close}>{words.keys.close} <Key>Esc</Key></button>
      </div>
    </Dialog>
  )
}
