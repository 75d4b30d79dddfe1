// The name of a place where there may be no room for all of it: the house number always
// stays, what comes after it goes first.
const parts = /^(.*\S)(\s\d[^\s,]*)(\D*)$/s

export function Place({ name, city }: { name: string; city?: string | undefined }) {
  const whole = [name, city].filter(Boolean).join(', ')
  const [, street, house, rest] = parts.exec(whole) ?? [whole, whole]
  return (
    <span className="place-name" title={whole}>
      <span className="cut">{street}</span>
      {house && <span className="house">{house}</span>}
      {rest && <span className="cut rest">{rest}</span>}
    </span>
  )
}
