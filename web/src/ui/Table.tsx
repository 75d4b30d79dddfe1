import type { ReactNode } from 'react'

export interface Column<T> {
  key: string
  head: string
  cell: (row: T) => ReactNode
  /** Numbers and times stand to the right, in figures of one width. */
  kind?: 'number' | 'time' | 'actions'
  /** Left out where there is little room: first 'wide' (below 1240 px), then 'mid' (below 700 px). */
  only?: 'wide' | 'mid'
}

interface Props<T> {
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string | number
  /** Where a row leads: its first column is the link. */
  rowHref?: (row: T) => string | undefined
  /** The row that is open beside the table. */
  current?: string | number | undefined
}

/** A table with a head that stays. It scrolls in itself and can be scrolled with the keys. */
export function Table<T>({ label, columns, rows, rowKey, rowHref, current }: Props<T>) {
  return (
    <div className="table-box" role="region" aria-label={label} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>{columns.map((column) => <th key={column.key} scope="col" className={classOf(column)}>{column.head}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row)
            const link = rowHref?.(row)
            return (
              <tr key={key} data-id={key} className={key === current ? 'open' : link ? 'leads' : undefined}>
                {columns.map((column, i) => (
                  <td key={column.key} className={classOf(column)}>
                    {i === 0 && link ? <a href={link} aria-current={key === current || undefined}>{column.cell(row)}</a> : column.cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function classOf<T>({ kind, only }: Column<T>): string | undefined {
  return [kind && `col-${kind}`, only && `only-${only}`].filter(Boolean).join(' ') || undefined
}
