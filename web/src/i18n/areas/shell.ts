// Words of the frame: palette, settings, updates.

export const pl = {}

export const en: typeof pl = {}
