// Words of panels and orders.

export const pl = {}

export const en: typeof pl = {}
