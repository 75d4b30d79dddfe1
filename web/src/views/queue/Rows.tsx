// The rows of the queue that can be seen, out of any number of them. What is on the
// screen holds still: see SteadyList.
import { useVirtualizer, defaultRangeExtractor, type Range } from '@tanstack/react-virtual'
import { type PointerEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import type { Value } from '../../live/value'
import type { Above, SteadyList } from '../steady'
import { heightOf, useHeights } from './heights'
import type { Item } from './items'

interface Props {
  items: readonly Item[]
  /** Another scope is another list: it begins at the top. */
  scope: string
  label: string
  /** The key of the row that the keys are at. */
  cursor: string | undefined
  steady: SteadyList
  above: Value<Above>
  /** Counts the wishes to see the top. */
  home: number
  /** The end of the list came into sight. */
  onEnd?: () => void
  draw: (item: Item, index: number) => ReactNode
  children?: ReactNode
}

const overscan = 8

export function Rows({ items, scope, label, cursor, steady, above, home, onEnd, draw, children }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const heights = useHeights(box)
  const rows = useMemo(
    () => items.map((item) => ({ key: item.key, height: heightOf(item, heights), ...(item.type === 'alarm' && { priority: item.priority }) })),
    [items, heights],
  )
  // Taken while drawing, so that rows, their room and the place scrolled to are painted
  // together.
  steady.take(rows, heights.viewport, scope)

  const at = cursor === undefined ? -1 : items.findIndex((item) => item.key === cursor)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => rows[index]!.height,
    getItemKey: useCallback((index: number) => rows[index]!.key, [rows]),
    overscan,
    initialRect: { width: 0, height: heights.viewport },
    paddingStart: steady.before,
    paddingEnd: steady.after,
    // The row with the cursor stays in the document: it may have the focus.
    rangeExtractor: useCallback(
      (range: Range) => {
        const indexes = defaultRangeExtractor(range)
        if (at >= 0 && at < range.startIndex - range.overscan) indexes.unshift(at)
        else if (at > range.endIndex + range.overscan) indexes.push(at)
        return [...new Set(indexes)]
      },
      [at],
    ),
  })
  virtual.scrollOffset = steady.scroll
  const shown = virtual.getVirtualItems()

  useLayoutEffect(() => {
    scrollTo(box.current, steady.scroll)
    above.set(steady.above)
  }, [rows, scope, steady, above])

  const wished = useRef(home)
  useLayoutEffect(() => {
    if (wished.current === home) return
    wished.current = home
    steady.toTop()
    scrollTo(box.current, 0)
    above.set(steady.above)
    virtual.measure()
  }, [home, steady, above, virtual])

  // Keys move the cursor; the list follows it, and the focus when the list has it.
  useEffect(() => {
    steady.select(cursor)
    if (cursor === undefined) return
    steady.reveal(cursor)
    scrollTo(box.current, steady.scroll)
    above.set(steady.above)
    const list = box.current
    const focused = document.activeElement
    if (!list || !focused || focused === list || !list.contains(focused) || focused.closest('.card')) return
    document.getElementById(`row-${cursor.slice(1)}`)?.focus({ preventScroll: true })
  }, [cursor, steady, above])

  const last = shown.at(-1)?.index ?? -1
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 2) onEnd?.()
  }, [last, rows.length, onEnd])

  const onScroll = () => {
    if (!box.current || box.current.scrollTop === steady.scroll) return
    steady.scrolled(box.current.scrollTop)
    above.set(steady.above)
  }
  const onPointer = (event: PointerEvent) => steady.point((event.target as Element).closest<HTMLElement>('[data-key]')?.dataset.key)

  return (
    <div
      className="rows" ref={box} data-testid="rows" onScroll={onScroll} onPointerMove={onPointer} onPointerOver={onPointer}
      onPointerLeave={() => steady.point(undefined)}
    >
      <div className="rows-space" role="list" aria-label={label} style={{ height: virtual.getTotalSize() }}>
        {shown.map(({ index, key, start, size }) => (
          <div
            key={key} data-key={key} className="slot" role="listitem" aria-setsize={rows.length} aria-posinset={index + 1}
            style={{ height: size, transform: `translateY(${start}px)` }}
          >
            {draw(items[index]!, index)}
          </div>
        ))}
      </div>
      {children}
    </div>
  )
}

function scrollTo(box: HTMLElement | null, to: number): void {
  if (box && Math.abs(box.scrollTop - to) > 0.5) box.scrollTop = to
}
