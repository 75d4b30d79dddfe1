// Words of sound, watching, sign-in checks.

export const pl = {}

export const en: typeof pl = {}
