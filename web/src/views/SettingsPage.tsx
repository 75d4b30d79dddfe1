export function SettingsPage() {
  return <main className="pane" />
}
