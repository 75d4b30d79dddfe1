// A page over the page. It lies below the bands, which stay visible, readable for screen
// readers and within reach of Tab: no dialog ever hides what is most urgent or that the
// connection is lost. Therefore it is not modal for the whole window; only the page
// below it is dead.
import { Dialog as Base } from '@base-ui/react/dialog'
import { type ReactNode, type RefObject, useEffect, useRef } from 'react'
import { useCover } from './cover'

interface Props {
  title: string
  onClose: () => void
  /** How wide it may become; 520 px when not said. */
  size?: 'wide' | 'full' | 'palette'
  /** The title is for screen readers only. */
  untitled?: boolean
  /** What has the focus at first; the first control when not said. */
  focus?: RefObject<HTMLElement | null>
  children: ReactNode
}

export function Dialog({ title, onClose, size, untitled, focus, children }: Props) {
  const box = useRef<HTMLDivElement>(null)
  useCover()
  // What had the focus may have gone with what was sent: the dialog takes it then.
  useEffect(() => {
    if (document.activeElement === document.body) box.current?.focus()
  })
  return (
    <Base.Root open modal={false} disablePointerDismissal onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <div className="sheet-ground" onMouseDown={(event) => event.target === event.currentTarget && onClose()}>
          <Base.Popup ref={box} className={size ? `sheet ${size}` : 'sheet'} {...(focus && { initialFocus: focus })}>
            <Base.Title className={untitled ? 'unseen' : undefined}>{title}</Base.Title>
            {children}
          </Base.Popup>
        </div>
      </Base.Portal>
    </Base.Root>
  )
}

/** The buttons at the foot of a dialog, the one that leads on last. */
export function DialogFoot({ children }: { children: ReactNode }) {
  return <div className="sheet-foot">{children}</div>
}
