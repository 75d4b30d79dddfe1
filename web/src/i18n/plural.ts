type Forms = { one: string; few?: string; many?: string; other: string }

/** Chooses among the plural forms of a language. */
export function plural(language: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language)
  return (n, forms) => forms[rules.select(n) as keyof Forms] ?? forms.other
}
