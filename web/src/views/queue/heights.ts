// How high the rows are: the style sheet says it by density and width of the window, the
// list reckons with it.
import { type RefObject, useLayoutEffect, useState } from 'react'
import { density } from '../../shell/prefs'
import { useValue } from '../../ui/hooks'
import type { Item } from './items'

export interface Heights {
  one: number
  two: number
  card: number
  line: number
  /** Of the list itself. */
  viewport: number
}

const usual: Heights = { one: 36, two: 56, card: 92, line: 32, viewport: 600 }

export function heightOf(item: Item, heights: Heights): number {
  switch (item.type) {
    case 'alarm':
      return item.priority <= 2 ? heights.two : heights.one
    case 'closed':
      return heights.two
    case 'group':
      return heights.card
    case 'line':
      return heights.line
  }
}

export function useHeights(box: RefObject<HTMLElement | null>): Heights {
  const chosen = useValue(density)
  const [heights, setHeights] = useState(usual)
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const read = () => {
      const style = getComputedStyle(element)
      const length = (name: string, otherwise: number) => Number.parseFloat(style.getPropertyValue(name)) || otherwise
      const next: Heights = {
        one: length('--row', usual.one),
        two: length('--row-two', usual.two),
        card: length('--card', usual.card),
        line: length('--line-row', usual.line),
        viewport: element.clientHeight || usual.viewport,
      }
      setHeights((was) => (JSON.stringify(was) === JSON.stringify(next) ? was : next))
    }
    read()
    const watch = new ResizeObserver(read)
    watch.observe(element)
    return () => watch.disconnect()
  }, [box, chosen])
  return heights
}
