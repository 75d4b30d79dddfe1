import { useEffect } from 'react'
import { useWords } from '../i18n'
import { MeContext, useHere, useValue } from '../ui/hooks'
import { Console } from './Console'
import { SignIn } from './SignIn'

export function App() {
  const { station } = useHere()
  const words = useWords()
  const session = useValue(station.session)
  useEffect(() => {
    document.documentElement.lang = words.code
  }, [words])

  switch (session.kind) {
    case 'checking':
      return <p className="alone">{words.app.checking}</p>
    case 'unreachable':
      return (
        <div className="alone" role="alert">
          <p className="alone-title"><i className="icon warn" aria-hidden="true" /> {words.link.banner}</p>
          <p>{words.app.retrying}</p>
        </div>
      )
    case 'out':
      return <SignIn expired={session.expired} />
    case 'in':
      return (
        <MeContext value={session.user}>
          <Console />
        </MeContext>
      )
  }
}
