// Keeps the row under the pointer, or the one the keys are at, where it is on the screen
// when others come or go around it. Newcomers above it wait behind the top edge.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Alarm } from '../api/types'

interface Steady {
  list: RefObject<HTMLDivElement | null>
  /** How many rows are hidden above the top edge, and how many of them are newcomers. */
  above: Above
  top: () => void
}

export interface Above {
  all: number
  fresh: number
}

interface Anchor {
  id: string
  y: number
}

export function useSteadyRows(queue: readonly Alarm[], cursor: number | undefined): Steady {
  const list = useRef<HTMLDivElement>(null)
  const hovered = useRef<string | undefined>(undefined)
  const anchor = useRef<Anchor | undefined>(undefined)
  const known = useRef<Set<number>>(new Set())
  const newcomers = useRef<Set<number>>(new Set())
  const [above, setAbove] = useState<Above>({ all: 0, fresh: 0 })
  const cursorId = cursor === undefined ? undefined : `row-${cursor}`

  const remember = useCallback(() => {
    const box = list.current
    if (!box) return
    const row = rowIn(box, hovered.current) ?? rowIn(box, cursorId)
    anchor.current = row ? { id: row.id, y: row.getBoundingClientRect().top - box.getBoundingClientRect().top } : undefined
  }, [cursorId])

  const count = useCallback(() => {
    const box = list.current
    if (!box) return
    const edge = box.getBoundingClientRect().top
    let all = 0
    for (const row of box.children) {
      // Half of a row is enough to be seen.
      const { top, height } = row.getBoundingClientRect()
      if (top + height / 2 >= edge) break
      all++
    }
    const hidden = new Set([...box.children].slice(0, all).map((row) => Number((row as HTMLElement).dataset.id)))
    for (const id of [...newcomers.current]) if (!hidden.has(id)) newcomers.current.delete(id)
    setAbove((was) => (was.all === all && was.fresh === newcomers.current.size ? was : { all, fresh: newcomers.current.size }))
  }, [])

  useLayoutEffect(() => {
    const box = list.current
    if (!box) return
    if (known.current.size > 0) for (const { id } of queue) if (!known.current.has(id)) newcomers.current.add(id)
    known.current = new Set(queue.map((alarm) => alarm.id))

    const held = anchor.current
    const row = rowIn(box, held?.id)
    box.style.paddingTop = box.style.paddingBottom = ''
    if (held && row) {
      const moved = row.getBoundingClientRect().top - box.getBoundingClientRect().top - held.y
      const wanted = box.scrollTop + moved
      const most = contentHeight(box) - box.clientHeight
      if (wanted < 0) box.style.paddingTop = `${-wanted}px`
      // A short list has nothing to scroll by until there is room below it.
      if (wanted > Math.max(0, most)) box.style.paddingBottom = `${wanted - most}px`
      box.scrollTop = Math.max(0, wanted)
    }
    remember()
    count()
  }, [queue, remember, count])

  useEffect(() => {
    remember()
  }, [remember])

  useEffect(() => {
    const box = list.current
    if (!box) return
    const onMove = (event: PointerEvent) => {
      hovered.current = (event.target as Element).closest<HTMLElement>('.row')?.id
      remember()
    }
    const onLeave = () => {
      hovered.current = undefined
      remember()
    }
    const onScroll = () => {
      remember()
      count()
    }
    box.addEventListener('pointermove', onMove)
    box.addEventListener('pointerleave', onLeave)
    box.addEventListener('scroll', onScroll)
    return () => {
      box.removeEventListener('pointermove', onMove)
      box.removeEventListener('pointerleave', onLeave)
      box.removeEventListener('scroll', onScroll)
    }
  }, [remember, count])

  const top = useCallback(() => {
    const box = list.current
    if (!box) return
    box.style.paddingTop = box.style.paddingBottom = ''
    box.scrollTop = 0
    remember()
    count()
  }, [remember, count])

  return { list, above, top }
}

function contentHeight(box: HTMLElement): number {
  const last = box.lastElementChild
  return last ? last.getBoundingClientRect().bottom - box.getBoundingClientRect().top + box.scrollTop : 0
}

function rowIn(box: HTMLElement, id: string | undefined): HTMLElement | null {
  if (!id) return null
  const row = document.getElementById(id)
  return row && box.contains(row) ? row : null
}
