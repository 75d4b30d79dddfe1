// Words of events and status.

export const pl = {}

export const en: typeof pl = {}
