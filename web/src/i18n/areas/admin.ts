// Words of sites, panels and people as administrators see them.

export const pl = {}

export const en: typeof pl = {}
