// Keeps what broke to itself: a page that throws says so in its own place, while the bands,
// the sound and the stream go on.
import { Component, type ComponentType, type ReactNode, useCallback, useEffect, useState } from 'react'
import { useWords } from '../i18n'

interface Props {
  /** What is shown instead, with a way to draw the part anew. */
  broken: (again: () => void) => ReactNode
  children: ReactNode
}

export class Boundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.broken(() => this.setState({ failed: false })) : this.props.children
  }
}

/** A part of the screen that may break without the rest. */
export function Part({ children }: { children: ReactNode }) {
  return <Boundary broken={(again) => <Broken again={again} />}>{children}</Boundary>
}

function Broken({ again, away = false }: { again: () => void; away?: boolean }) {
  const words = useWords()
  const { broken } = words.areas.shell
  return (
    <section className="pane nothing" role="alert" data-testid="broken">
      <b>{away ? broken.away : broken.title}</b>
      <p>{broken.rest}</p>
      <button type="button" className="button" onClick={again}>{broken.reload}</button>
    </section>
  )
}

/** The window as a whole: nothing of it can be drawn. */
export function WholeBroken() {
  const words = useWords()
  const { broken } = words.areas.shell
  return (
    <div className="alone" role="alert">
      <p className="alone-title">{broken.whole}</p>
      <p>{broken.wholeRest}</p>
      <p><button type="button" className="button primary" onClick={() => location.reload()}>{broken.wholeReload}</button></p>
    </div>
  )
}

/** A page whose code comes when it is first opened; without it the rest of the screen works on. */
export function pageOf(load: () => Promise<ComponentType>): ComponentType {
  let known: ComponentType | undefined
  return function LazyPage() {
    const words = useWords()
    const [Page, setPage] = useState<ComponentType | undefined>(() => known)
    const [failed, setFailed] = useState(false)
    const ask = useCallback(() => {
      setFailed(false)
      load().then(
        (page) => {
          known = page
          setPage(() => page)
        },
        () => setFailed(true),
      )
    }, [])
    useEffect(() => {
      if (!known) ask()
    }, [ask])
    if (Page) return <Page />
    if (failed) return <Broken again={ask} away />
    return <section className="pane nothing"><p>{words.areas.shell.loading}</p></section>
  }
}
