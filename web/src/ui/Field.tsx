// Labelled fields. What is wrong with a field stands under it and is told to screen
// readers with it.
import { type ComponentPropsWithRef, type ReactNode, useId } from 'react'

interface Labels {
  label: string
  hint?: ReactNode
  error?: string | undefined
}

interface Wiring {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': true | undefined
}

/** The frame of a field; gives the control what ties it to label, hint and error. */
export function Field({ label, hint, error, children }: Labels & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId()
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': about || undefined, 'aria-invalid': error ? true : undefined })}
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p className="problem" id={`${id}-error`}>{error}</p>}
    </div>
  )
}

export function TextField({ label, hint, error, ...input }: Labels & ComponentPropsWithRef<'input'>) {
  return <Field label={label} hint={hint} error={error}>{(wiring) => <input {...wiring} {...input} />}</Field>
}

export function TextArea({ label, hint, error, ...input }: Labels & ComponentPropsWithRef<'textarea'>) {
  return <Field label={label} hint={hint} error={error}>{(wiring) => <textarea rows={3} {...wiring} {...input} />}</Field>
}

export interface Choice<T extends string> {
  value: T
  label: string
}

interface SelectProps<T extends string> extends Labels {
  value: T
  choices: readonly Choice<T>[]
  onChoose: (value: T) => void
  name?: string
  disabled?: boolean
}

/** One of a few. The browser's own list: it is drawn over everything and knows every device. */
export function Select<T extends string>({ label, hint, error, value, choices, onChoose, ...rest }: SelectProps<T>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(wiring) => (
        <select {...wiring} {...rest} value={value} onChange={(event) => onChoose(event.target.value as T)}>
          {choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.label}</option>)}
        </select>
      )}
    </Field>
  )
}

export function Check({ label, ...input }: { label: ReactNode } & ComponentPropsWithRef<'input'>) {
  return <label className="check"><input {...input} type="checkbox" /> {label}</label>
}

interface SegmentsProps<T extends string> {
  label: string
  value: T
  choices: readonly Choice<T>[]
  onChoose: (value: T) => void
}

/** One of very few, all of them seen. */
export function Segments<T extends string>({ label, value, choices, onChoose }: SegmentsProps<T>) {
  const name = useId()
  return (
    <fieldset className="segments">
      <legend>{label}</legend>
      <div>
        {choices.map((choice) => (
          <label key={choice.value} className={choice.value === value ? 'segment on' : 'segment'}>
            <input type="radio" name={name} value={choice.value} checked={choice.value === value} onChange={() => onChoose(choice.value)} />
            {choice.label}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
