/** A loudspeaker; crossed out when nothing comes of it. */
export function Speaker({ off = false }: { off?: boolean }) {
  return (
    <svg className="speaker" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d="M2 6v4h2.5L8 13V3L4.5 6z" />
      {off ? <path d="m10.5 6 4 4m0-4-4 4" /> : <path d="M10.5 5.5a3.5 3.5 0 0 1 0 5m2-7a6.4 6.4 0 0 1 0 9" />}
    </svg>
  )
}
