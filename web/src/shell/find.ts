// Finding by what somebody types: words in any order, without accents, the beginning of a
// word before its middle.

const stroked: Record<string, string> = { ł: 'l', đ: 'd', ø: 'o' }

/** Lower case, without accents: what Łódź and lodz have in common. */
export function fold(text: string): string {
  return text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replace(/[łđø]/g, (letter) => stroked[letter]!)
}

/** How well a text answers the words of a query: 0 is not at all. */
export function score(words: readonly string[], text: string): number {
  const folded = fold(text)
  let sum = 1
  for (const word of words) {
    const at = folded.indexOf(word)
    if (at < 0) return 0
    if (at === 0) sum += 3
    else if (startsWord(folded, word)) sum += 2
  }
  return sum
}

function startsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!)) return true
  }
  return false
}

export function wordsOf(query: string): string[] {
  return fold(query).split(/\s+/).filter(Boolean)
}

export interface Found<T> {
  best: T[]
  /** How many more there are. */
  more: number
}

/** The best of a list, the order of the list among equals; all of it for an empty query. */
export function pick<T>(query: string, list: readonly T[], textOf: (item: T) => string, limit: number): Found<T> {
  const words = wordsOf(query)
  const scored = list.map((item) => ({ item, score: score(words, textOf(item)) })).filter((entry) => entry.score > 0)
  if (words.length > 0) scored.sort((a, b) => b.score - a.score)
  return { best: scored.slice(0, limit).map((entry) => entry.item), more: Math.max(0, scored.length - limit) }
}
