export function EventsPage() {
  return <main className="pane" />
}
