// Words of queue and alarm.

export const pl = {}

export const en: typeof pl = {}
