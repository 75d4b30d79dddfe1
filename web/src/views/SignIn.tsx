import { type FormEvent, useState } from 'react'
import { ApiError } from '../api/client'
import { switchLanguage, useWords } from '../i18n'
import { useHere } from '../ui/hooks'

export function SignIn({ expired }: { expired: boolean }) {
  const { station } = useHere()
  const words = useWords()
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState('')

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (sending) return
    setSending(true)
    setProblem('')
    try {
      await station.signIn(login, password)
    } catch (error) {
      setSending(false)
      setPassword('')
      setProblem(error instanceof ApiError ? error.code : 'unknown')
    }
  }

  const errors: Record<string, string> = words.signIn.errors
  return (
    <main className="sign-in">
      <form className="sign-in-box" onSubmit={submit}>
        <p className="brand"><i className="mark" aria-hidden="true" />dozor</p>
        <h1>{words.signIn.title}</h1>
        {expired && !problem && <p className="notice" role="status">{words.signIn.expired}</p>}
        <label className="field">
          <span>{words.signIn.login}</span>
          <input name="login" autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus required
            value={login} onChange={(event) => setLogin(event.target.value)} />
        </label>
        <label className="field">
          <span>{words.signIn.password}</span>
          <input name="password" type="password" autoComplete="current-password" required
            value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        <p className="problem" role="alert">{problem && (errors[problem] ?? words.errors.unexpected)}</p>
        <button className="button primary large" type="submit" disabled={sending || !login || !password}>
          {sending ? words.signIn.sending : words.signIn.submit}
        </button>
      </form>
      <button className="button quiet" type="button" onClick={switchLanguage}>{words.other}</button>
    </main>
  )
}
