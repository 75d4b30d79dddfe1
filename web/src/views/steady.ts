// Keeps the row under the pointer, or the one the keys are at, where it is on the screen
// when others come or go around it. Newcomers above it wait behind the top edge. It knows
// every row's height, so that nothing is measured: the page is laid out once per frame.

export interface SteadyRow {
  key: string
  height: number
  /** What a newcomer is counted as; rows that are no alarms have none. */
  priority?: number
}

export interface Above {
  /** Rows of alarms above the top edge. */
  all: number
  /** Those of them that came since somebody could see them, by priority. */
  fresh: ReadonlyMap<number, number>
}

interface Anchor {
  key: string
  y: number
}

const none: Above = { all: 0, fresh: new Map() }

export class SteadyList {
  #rows: readonly SteadyRow[] = []
  #tops: readonly number[] = []
  #index = new Map<string, number>()
  #total = 0
  #viewport = 0
  #scope: unknown
  #scroll = 0
  #before = 0
  #after = 0
  #pointer: string | undefined
  #cursor: string | undefined
  #known = new Set<string>()
  #newcomers = new Set<string>()
  #above: Above = none

  /** Where the list has to be scrolled to. */
  get scroll(): number {
    return this.#scroll
  }

  /** Room above and below the rows: a short list has nothing to scroll by without it. */
  get before(): number {
    return this.#before
  }

  get after(): number {
    return this.#after
  }

  get above(): Above {
    return this.#above
  }

  /** Where a row's upper edge is on the screen, counted from the edge of the list. */
  y(key: string): number | undefined {
    const at = this.#index.get(key)
    return at === undefined ? undefined : this.#before + this.#tops[at]! - this.#scroll
  }

  /** Takes the rows anew; another scope (tab, filter) begins at the top. */
  take(rows: readonly SteadyRow[], viewport: number, scope: unknown): void {
    if (rows === this.#rows && viewport === this.#viewport && scope === this.#scope) return
    const fresh = scope !== this.#scope || this.#rows.length === 0
    const anchor = fresh ? undefined : this.#anchor(rows)
    this.#rows = rows
    this.#viewport = viewport
    this.#scope = scope
    this.#lay()
    if (fresh) {
      this.#newcomers.clear()
      if (anchor === undefined) this.#place(undefined)
    } else {
      for (const row of rows) if (row.priority !== undefined && !this.#known.has(row.key)) this.#newcomers.add(row.key)
      this.#place(anchor)
    }
    this.#known = new Set(rows.map((row) => row.key))
    this.#count()
  }

  /** The row that the pointer is over. */
  get pointed(): string | undefined {
    return this.#pointer
  }

  /** The row under the pointer, while it is over the list. */
  point(key: string | undefined): void {
    this.#pointer = key
  }

  /** The row the keys are at; a key that moves it outdoes a pointer that rests. */
  select(key: string | undefined): void {
    if (key === this.#cursor) return
    this.#cursor = key
    this.#pointer = undefined
  }

  /** Somebody scrolled. */
  scrolled(to: number): void {
    this.#scroll = to
    this.#count()
  }

  /** Scrolls just as far as a row needs to be seen whole. */
  reveal(key: string): void {
    const y = this.y(key)
    if (y === undefined) return
    const height = this.#rows[this.#index.get(key)!]!.height
    if (y < 0) this.#scroll += y
    else if (y + height > this.#viewport) this.#scroll += y + height - this.#viewport
    this.#count()
  }

  /** The beginning of the list, and all newcomers seen. */
  toTop(): void {
    this.#scroll = this.#before = this.#after = 0
    this.#count()
  }

  #lay(): void {
    const tops: number[] = []
    this.#index.clear()
    let top = 0
    for (const [i, row] of this.#rows.entries()) {
      tops.push(top)
      this.#index.set(row.key, i)
      top += row.height
    }
    this.#tops = tops
    this.#total = top
  }

  /** What must stay: the pointer's row, the cursor's, or else the first one of a list that is scrolled. */
  #anchor(next: readonly SteadyRow[]): Anchor | undefined {
    const held = this.#visible(this.#pointer) ?? this.#visible(this.#cursor) ?? this.#first()
    if (held === undefined) return undefined
    const left = new Set(next.map((row) => row.key))
    // When the row itself has gone, those above it stay, else those below.
    for (let i = held; i >= 0; i--) if (left.has(this.#rows[i]!.key)) return this.#at(i)
    for (let i = held; i < this.#rows.length; i++) if (left.has(this.#rows[i]!.key)) return this.#at(i)
    return undefined
  }

  #at(index: number): Anchor {
    return { key: this.#rows[index]!.key, y: this.#before + this.#tops[index]! - this.#scroll }
  }

  #visible(key: string | undefined): number | undefined {
    const at = key === undefined ? undefined : this.#index.get(key)
    if (at === undefined) return undefined
    const { y } = this.#at(at)
    return y + this.#rows[at]!.height > 0 && y < this.#viewport ? at : undefined
  }

  #first(): number | undefined {
    if (this.#scroll <= 0) return undefined
    const at = this.#tops.findIndex((top) => this.#before + top >= this.#scroll)
    return at < 0 ? undefined : at
  }

  #place(anchor: Anchor | undefined): void {
    this.#before = this.#after = 0
    if (!anchor) {
      this.#scroll = 0
      return
    }
    const wanted = this.#tops[this.#index.get(anchor.key)!]! - anchor.y
    this.#scroll = Math.max(0, wanted)
    this.#before = Math.max(0, -wanted)
    const most = this.#before + this.#total - this.#viewport
    this.#after = Math.max(0, this.#scroll - Math.max(0, most))
    // A list shorter than its place must first fill it before it can be scrolled.
    if (this.#after > 0 && most < 0) this.#after -= most
  }

  #count(): void {
    let all = 0
    const hidden = new Set<string>()
    const fresh = new Map<number, number>()
    for (const [i, row] of this.#rows.entries()) {
      // Half of a row is enough to be seen.
      if (this.#before + this.#tops[i]! + row.height / 2 >= this.#scroll) break
      if (row.priority === undefined) continue
      all++
      hidden.add(row.key)
    }
    for (const key of [...this.#newcomers]) {
      if (!hidden.has(key)) {
        this.#newcomers.delete(key)
        continue
      }
      const priority = this.#rows[this.#index.get(key)!]!.priority!
      fresh.set(priority, (fresh.get(priority) ?? 0) + 1)
    }
    if (all === this.#above.all && same(fresh, this.#above.fresh)) return
    this.#above = { all, fresh }
  }
}

function same(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return a.size === b.size && [...a].every(([priority, count]) => b.get(priority) === count)
}
