// The people of the station, as administrators keep them.
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useDeferredValue, useState } from 'react'
import { newerVersion, type User } from '../../api/admin'
import { queries } from '../../api/queries'
import type { Role } from '../../api/types'
import { useWords } from '../../i18n'
import { full } from '../../i18n/format'
import { go, href, useRoute } from '../../route'
import { Dialog, DialogFoot } from '../../ui/Dialog'
import { Segments, Select, TextField } from '../../ui/Field'
import { Mutating } from '../../ui/Mutating'
import { EmptyState, Page, PageHead } from '../../ui/page'
import { Failure } from '../../ui/parts'
import { Table } from '../../ui/Table'
import { Ask } from './Ask'
import { sentence, useAdmin } from './admin'

type Which = 'active' | 'disabled' | 'all'

const roles: Role[] = ['operator', 'supervisor', 'admin']

export function UsersPage() {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const route = useRoute()
  const [which, setWhich] = useState<Which>('active')
  const [text, setText] = useState('')
  const [adding, setAdding] = useState(false)
  const q = useDeferredValue(text.trim())
  const list = useQuery({ queryKey: ['users', which, q], queryFn: ({ signal }) => admin.users(which, q, { signal }), placeholderData: (before) => before }, queries)
  const users = list.data?.users ?? []
  // Whoever was just disabled is not in the list of the active any more, and still open.
  const one = useQuery({ queryKey: ['users', 'one', route.id], enabled: route.id !== undefined, queryFn: ({ signal }) => admin.user(route.id!, { signal }) }, queries)
  const chosen = route.id === undefined ? undefined : one.data?.user

  return (
    <Page label={w.users.title}>
      <PageHead title={w.users.title} note={list.data && users.length}>
        <input type="search" aria-label={w.find} placeholder={w.find} value={text} onChange={(event) => setText(event.target.value)} />
        <Segments<Which> label={w.users.title} value={which} onChoose={setWhich} choices={[
          { value: 'active', label: w.users.active }, { value: 'disabled', label: w.users.disabled }, { value: 'all', label: w.users.all },
        ]} />
        <Mutating><button type="button" className="button primary" onClick={() => setAdding(true)}>{w.users.add}</button></Mutating>
      </PageHead>
      <div className="beside">
        <div className="beside-list">
          {list.isError && <Failure text={w.failed} retry={() => void list.refetch()} />}
          {list.data && users.length === 0 && <EmptyState title={w.nothing} />}
          {users.length > 0 && (
            <Table<User>
              label={w.users.title} rows={users} rowKey={(user) => user.id} current={route.id}
              rowHref={(user) => href({ page: 'users', id: user.id })}
              columns={[
                { key: 'name', head: w.users.name, cell: (user) => user.name },
                { key: 'login', head: w.users.login, cell: (user) => user.login, only: 'mid' },
                { key: 'role', head: w.users.role, cell: (user) => words.roles[user.role] },
                { key: 'seen', head: w.users.seen, kind: 'time', only: 'wide', cell: (user) => user.disabled_at ? w.users.isDisabled : user.last_seen_at ? full(user.last_seen_at) : w.users.never },
              ]}
            />
          )}
        </div>
        <aside className="beside-detail" aria-label={chosen?.name ?? w.users.pick}>
          {chosen ? <UserDetail key={chosen.id} user={chosen} /> : <EmptyState title={w.users.pick} />}
        </aside>
      </div>
      {adding && <NewUser onClose={() => setAdding(false)} />}
    </Page>
  )
}

const refresh = () => queries.invalidateQueries({ queryKey: ['users'] })

function UserDetail({ user }: { user: User }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [asking, setAsking] = useState<'edit' | 'password' | 'disable'>()
  const close = () => setAsking(undefined)
  const enable = () => void admin.turnUser(user, 'enable').then(refresh, refresh)
  return (
    <>
      <div className="detail-head">
        <h2>{user.name}</h2>
        <p className="faint">{user.login} · {words.roles[user.role]}{user.disabled_at && ` · ${w.users.isDisabled} ${full(user.disabled_at)}`}</p>
      </div>
      <Mutating>
        <div className="detail-acts">
          <button type="button" className="button" onClick={() => setAsking('edit')}>{w.edit}</button>
          <button type="button" className="button" onClick={() => setAsking('password')}>{w.users.reset}</button>
          {user.disabled_at
            ? <button type="button" className="button" onClick={enable}>{w.users.enable}</button>
            : <button type="button" className="button" onClick={() => setAsking('disable')}>{w.users.disable}</button>}
        </div>
      </Mutating>
      <Sessions user={user.id} />
      {asking === 'edit' && <EditUser user={user} onClose={close} />}
      {asking === 'password' && <ResetPassword user={user} onClose={close} />}
      {asking === 'disable' && (
        <Ask title={w.users.disable} hint={w.users.disableHint} onClose={close} onDo={() => admin.turnUser(user, 'disable').then(refresh)} />
      )}
    </>
  )
}

function Sessions({ user }: { user: number }) {
  const w = useWords().areas.admin.users
  const admin = useAdmin()
  const found = useQuery({ queryKey: ['users', 'sessions', user], queryFn: ({ signal }) => admin.sessions(user, { signal }) }, queries)
  const sessions = found.data?.sessions ?? []
  const end = (id: string) => void admin.endSession(id).finally(() => void found.refetch())
  return (
    <section className="detail-part">
      <h3>{w.sessions}</h3>
      {found.data && sessions.length === 0 && <p className="faint">{w.noSessions}</p>}
      <ul className="plain">
        {sessions.map((session) => (
          <li key={session.id} className="line">
            <span className="grow">{session.user_agent || '?'} <span className="faint num">{w.since} {full(session.created_at)}</span></span>
            {session.current && <span className="tag">{w.thisOne}</span>}
            <Mutating><button type="button" className="button quiet" aria-label={w.endOf(session.user_agent)} onClick={() => end(session.id)}>{w.end}</button></Mutating>
          </li>
        ))}
      </ul>
    </section>
  )
}

function RoleSelect({ value, onChoose }: { value: Role; onChoose: (role: Role) => void }) {
  const words = useWords()
  return <Select<Role> label={words.areas.admin.users.role} value={value} onChoose={onChoose} choices={roles.map((role) => ({ value: role, label: words.roles[role] }))} />
}

function NewUser({ onClose }: { onClose: () => void }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [login, setLogin] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('operator')
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    admin.addUser({ login: login.trim(), name: name.trim(), role, password }).then(
      async ({ user }) => {
        await refresh()
        onClose()
        go({ page: 'users', id: user.id })
      },
      (error: unknown) => {
        setProblem(sentence(words, error))
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={w.users.add} onClose={onClose}>
      <form onSubmit={submit} autoComplete="off">
        <TextField label={w.users.name} value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
        <TextField label={w.users.login} value={login} required maxLength={64} autoCapitalize="none" spellCheck={false} onChange={(event) => setLogin(event.target.value)} />
        <RoleSelect value={role} onChoose={setRole} />
        <TextField label={w.users.password} hint={w.users.passwordHint} type="password" autoComplete="new-password" value={password} required minLength={8} maxLength={256} onChange={(event) => setPassword(event.target.value)} />
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Foot save={w.add} busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function EditUser({ user, onClose }: { user: User; onClose: () => void }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [seen, setSeen] = useState(user)
  const [name, setName] = useState(user.name)
  const [role, setRole] = useState(user.role)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    admin.editUser(seen, { name: name.trim(), role }).then(
      async () => {
        await refresh()
        onClose()
      },
      (error: unknown) => {
        const newer = newerVersion<User>(error, 'user')
        if (newer) setSeen(newer)
        setProblem(newer ? w.newer(`${newer.name}, ${words.roles[newer.role]}`) : sentence(words, error))
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={w.users.edit} onClose={onClose}>
      <form onSubmit={submit}>
        <TextField label={w.users.name} value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
        <RoleSelect value={role} onChoose={setRole} />
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Foot save={w.save} busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function ResetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    admin.resetPassword(user.id, password).then(
      async () => {
        await refresh()
        onClose()
      },
      (error: unknown) => {
        setProblem(sentence(words, error))
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={`${w.users.reset}: ${user.name}`} onClose={onClose}>
      <form onSubmit={submit} autoComplete="off">
        <p>{w.users.resetHint}</p>
        <TextField label={w.users.password} hint={w.users.passwordHint} type="password" autoComplete="new-password" value={password} required minLength={8} maxLength={256} onChange={(event) => setPassword(event.target.value)} />
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Foot save={w.save} busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}

export function Foot({ save, busy, onClose }: { save: string; busy: boolean; onClose: () => void }) {
  const w = useWords().areas.admin
  return (
    <DialogFoot>
      <button type="button" className="button quiet" onClick={onClose}>{w.cancel}</button>
      <Mutating><button type="submit" className="button primary" disabled={busy}>{save}</button></Mutating>
    </DialogFoot>
  )
}
