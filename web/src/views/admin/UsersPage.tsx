export function UsersPage() {
  return <main className="pane" />
}
