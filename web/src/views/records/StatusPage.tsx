export function StatusPage() {
  return <main className="pane" />
}
