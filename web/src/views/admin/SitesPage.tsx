export function SitesPage() {
  return <main className="pane" />
}
